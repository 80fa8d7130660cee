//! Owns asking a few things at once.
//!
//! **Invariant:** answers come in the order of the questions, and what nobody waits for any more is broken off.

use std::collections::VecDeque;
use std::future::Future;

use tokio::task::JoinHandle;

/// How many questions are under way at once where there are many: SageMaker throttles soon.
pub(super) const WIDTH: usize = 4;

/// Questions under way.
pub(super) struct Window<A> {
    width: usize,
    under_way: VecDeque<JoinHandle<A>>,
}

impl<A: Send + 'static> Window<A> {
    /// Makes a window of a width.
    pub(super) fn new(width: usize) -> Window<A> {
        assert!(width > 0, "a window lets something through");
        Window { width, under_way: VecDeque::new() }
    }

    /// Tells whether an answer has to be waited for before another question is asked.
    pub(super) fn is_full(&self) -> bool {
        self.under_way.len() >= self.width
    }

    /// Asks a question.
    pub(super) fn push(&mut self, question: impl Future<Output = A> + Send + 'static) {
        self.under_way.push_back(tokio::spawn(question));
    }

    /// Waits for the answer to the oldest question.
    pub(super) async fn next(&mut self) -> Option<A> {
        let answer = self.under_way.pop_front()?.await;
        Some(answer.expect("no question panics, and none is broken off while it is waited for"))
    }
}

impl<A> Drop for Window<A> {
    fn drop(&mut self) {
        for question in &self.under_way {
            question.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn answers_keep_the_order_of_questions_and_only_a_few_are_under_way() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let mut window = Window::new(3);
        let (mut questions, mut answers) = (0..10_u32, Vec::new());
        loop {
            while !window.is_full()
                && let Some(number) = questions.next()
            {
                let under_way = Arc::clone(&under_way);
                window.push(async move {
                    let at_once = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                    // Earlier questions take longer.
                    for _ in number..10 {
                        tokio::task::yield_now().await;
                    }
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    (number, at_once)
                });
            }
            let Some((number, at_once)) = window.next().await else { break };
            assert!(at_once <= 3, "{at_once}");
            answers.push(number);
        }
        assert_eq!(answers, (0..10).collect::<Vec<u32>>());
    }
}
