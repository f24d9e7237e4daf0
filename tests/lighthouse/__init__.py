"""What Lighthouse says of the main screens: `make lighthouse`."""
