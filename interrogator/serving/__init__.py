"""A worker that runs by itself, for any number of bots and command lines (`interrogate serve`).

The process that listens loads no model: it keeps a worker of its own, as a bot does, and passes jobs on to it. An image
that kills the models so costs nobody the connection.
"""
