"""The Discord bot: commands, rendering, history. It talks to the models only through `interrogator.queue`."""
