"""The small web service that this project deploys with itself."""
