//! The law of queues: what every adapter must do, run against each. It panics where the law is broken.

use std::collections::BTreeSet;

use super::{Acked, Message, Queue};
use crate::job::{JobId, Pool, ShardId, StageId};

/// Runs the whole suite against an empty queue.
pub async fn all(queue: &dyn Queue) {
    what_waits_is_counted(queue).await;
    many_at_once_all_arrive(queue).await;
    what_is_published_arrives(queue).await;
    pools_are_apart(queue).await;
    what_is_not_acknowledged_comes_again(queue).await;
    a_taker_waits(queue).await;
    a_wait_that_is_given_up_loses_nothing(queue).await;
}

fn message(index: u64) -> Message {
    let stage = StageId::new("users").expect("the suite's names are allowed");
    Message::new(JobId::new("job").expect("the suite's names are allowed"), ShardId { stage, index }, 1)
}

async fn take_and_ack(queue: &dyn Queue, pool: Pool) -> Message {
    let delivery = queue.take(pool).await.expect("takes");
    let message = delivery.message.clone();
    assert_eq!(delivery.ack().await.expect("acknowledges"), Acked::Yes);
    message
}

async fn what_waits_is_counted(queue: &dyn Queue) {
    assert_eq!(queue.depth(Pool::Llm).await, Ok(0));
    queue.publish_all(Pool::Llm, &[message(3), message(4)]).await.expect("publishes");
    queue.publish_all(Pool::Llm, &[]).await.expect("publishes nothing");
    assert_eq!(queue.depth(Pool::Llm).await, Ok(2));
    assert_eq!(queue.depth(Pool::Sql).await, Ok(0));
    take_and_ack(queue, Pool::Llm).await;
    take_and_ack(queue, Pool::Llm).await;
    assert_eq!(queue.depth(Pool::Llm).await, Ok(0));
    assert!(queue.is_consuming());
}

/// More than any adapter sends without waiting.
async fn many_at_once_all_arrive(queue: &dyn Queue) {
    let messages: Vec<Message> = (0..3_000).map(message).collect();
    queue.publish_all(Pool::Generate, &messages).await.expect("publishes");
    let mut came = BTreeSet::new();
    for _ in 0..3_000 {
        came.insert(take_and_ack(queue, Pool::Generate).await.shard.index);
    }
    assert_eq!(came, (0..3_000).collect());
}

async fn what_is_published_arrives(queue: &dyn Queue) {
    for index in 0..100 {
        queue.publish(Pool::Generate, &message(index)).await.expect("publishes");
    }
    let mut came = BTreeSet::new();
    for _ in 0..100 {
        came.insert(take_and_ack(queue, Pool::Generate).await.shard.index);
    }
    assert_eq!(came, (0..100).collect());
}

async fn pools_are_apart(queue: &dyn Queue) {
    queue.publish(Pool::Sql, &message(1)).await.expect("publishes");
    let traced =
        Message { trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()), ..message(2) };
    queue.publish(Pool::Llm, &traced).await.expect("publishes");
    assert_eq!(take_and_ack(queue, Pool::Llm).await, traced);
    assert_eq!(take_and_ack(queue, Pool::Sql).await, message(1));
}

async fn what_is_not_acknowledged_comes_again(queue: &dyn Queue) {
    queue.publish(Pool::Generate, &message(7)).await.expect("publishes");
    let first = queue.take(Pool::Generate).await.expect("takes");
    assert_eq!(first.message, message(7));
    drop(first);
    assert_eq!(take_and_ack(queue, Pool::Generate).await, message(7));
}

async fn a_taker_waits(queue: &dyn Queue) {
    let publish = async {
        tokio::task::yield_now().await;
        queue.publish(Pool::Generate, &message(8)).await.expect("publishes");
    };
    let (taken, ()) = tokio::join!(take_and_ack(queue, Pool::Generate), publish);
    assert_eq!(taken, message(8));
}

async fn a_wait_that_is_given_up_loses_nothing(queue: &dyn Queue) {
    {
        let wait = queue.take(Pool::Generate);
        tokio::select! {
            biased;
            _ = wait => panic!("nothing was published"),
            () = tokio::task::yield_now() => {}
        }
    }
    queue.publish(Pool::Generate, &message(9)).await.expect("publishes");
    assert_eq!(take_and_ack(queue, Pool::Generate).await, message(9));
}
