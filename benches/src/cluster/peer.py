"""The peer of the benchmark: a Celery task of no work, with settings that its documentation recommends for many short tasks.

`python peer.py N` sends N tasks. Acknowledged late and kept on disk by the broker, as a shard is; its result goes to Redis.
"""
import os
import sys

from celery import Celery

app = Celery("peer", broker=os.environ["PEER_BROKER"], backend=os.environ["PEER_RESULTS"])
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=128,
    worker_disable_rate_limits=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    result_expires=None,
    task_serializer="json",
    broker_connection_retry_on_startup=True,
)


@app.task(name="nothing")
def nothing():
    return None


if __name__ == "__main__":
    with app.producer_pool.acquire() as producer:
        for _ in range(int(sys.argv[1])):
            nothing.apply_async(producer=producer)
