"""What browsers are shown: the checkout page, the script that embeds it, and the playground. Static, no build step."""
