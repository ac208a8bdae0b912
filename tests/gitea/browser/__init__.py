"""What a person sees on the pages of a real Gitea."""
