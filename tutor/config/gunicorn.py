"""Settings of gunicorn, the web server. Use: gunicorn -c python:tutor.config.gunicorn."""

wsgi_app = "tutor.config.wsgi:application"
# Threads, because a request waits for the database more than it computes; two processes, because
# two cores can then grade and choose at once.
worker_class = "gthread"
workers = 2
threads = 8
preload_app = False
timeout = 60
graceful_timeout = 15
keepalive = 5
# Its socket would be one file for all tutors of a machine.
control_socket_disable = True
loglevel = "warning"
