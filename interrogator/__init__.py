"""Image to text-to-image prompt: a library, a command line and a worker process, usable without Discord."""
