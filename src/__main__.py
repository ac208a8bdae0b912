"""`python -I src` runs the command line from the action's own folder, whatever is installed elsewhere."""

from freshness.start import main

if __name__ == "__main__":
    main()
