"""How many messages wait in a queue, asked in a way that every broker takes."""

from typing import Any

from kombu import Queue


def count_waiting(channel: Any, queue: Queue) -> int:
    """Return the messages that wait in `queue`, which is made if there is none.

    RabbitMQ refuses to declare a queue that exists otherwise than it was declared, and the
    library's defaults are not Celery's.
    """
    declared = channel.queue_declare(
        queue.name,
        durable=queue.durable,
        exclusive=queue.exclusive,
        auto_delete=queue.auto_delete,
        arguments=queue.queue_arguments,
    )
    return int(declared.message_count)
