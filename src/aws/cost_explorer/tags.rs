//! Owns the calls about cost allocation tag keys: their status, their activation and the billing backfill.
//!
//! **Invariant:** what AWS says against one key is told of that key, whichever of its two ways AWS says it in.

use std::collections::BTreeMap;

use aws_sdk_costexplorer::types;

use crate::key::{Backfill, KeyStatus};
use crate::period::Month;

use super::super::error::Error;
use super::super::pages;
use super::{CostExplorer, SERVICE, page};

const LIST: &str = "ListCostAllocationTags";
const UPDATE: &str = "UpdateCostAllocationTagsStatus";
const HISTORY: &str = "ListCostAllocationTagBackfillHistory";
const START: &str = "StartCostAllocationTagBackfill";

/// One call changes the status of at most this many keys (API reference, `UpdateCostAllocationTagsStatus`).
const UPDATE_COUNT_MAX: usize = 20;

/// What became of a key that was to be activated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The key.
    pub key: String,
    /// Why not; absent when AWS took it.
    pub refused: Option<String>,
}

impl CostExplorer {
    /// Asks for the status of tag keys; one that billing has never seen is not in the answer.
    pub async fn list_tag_keys(&self, keys: &[&str]) -> Result<Vec<KeyStatus>, Error> {
        let mut statuses = Vec::new();
        for keys in keys.chunks(100) {
            statuses.extend(self.list(Some(keys)).await?);
        }
        statuses.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(statuses)
    }

    /// Asks for the status of every key of the organization that billing has seen.
    pub async fn list_all_tag_keys(&self) -> Result<Vec<KeyStatus>, Error> {
        let mut statuses = self.list(None).await?;
        statuses.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(statuses)
    }

    async fn list(&self, keys: Option<&[&str]>) -> Result<Vec<KeyStatus>, Error> {
        // No filter by type: billing counts SageMaker's keys as the user's, SageMaker as AWS's.
        let keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
        let request = self.client.list_cost_allocation_tags().set_tag_keys(keys);
        let stream = request.into_paginator().send();
        let listed =
            pages::list(SERVICE, LIST, stream, |page| (page.next_token, page.cost_allocation_tags));
        let tags = listed.await.whole()?.into_iter();
        tags.map(|tag| key_status(tag).map_err(|text| Error::unreadable(SERVICE, LIST, text)))
            .collect()
    }

    /// Activates keys, twenty a call, and tells what became of each.
    ///
    /// AWS tells of an unknown key by refusing the whole call with `Tag keys not found: a,b`, or by taking the rest
    /// and listing the key under `Errors` (API reference, example 2); after a refusal the rest is asked for again.
    pub async fn activate(&self, keys: &[String]) -> Vec<Activation> {
        let mut done = Vec::new();
        for chunk in keys.chunks(UPDATE_COUNT_MAX) {
            let mut left = chunk.to_vec();
            while !left.is_empty() {
                match self.update(&left).await {
                    Ok(refused) => done.extend(taken(std::mem::take(&mut left), refused)),
                    Err(error) => {
                        let mut refused = not_found(&error, &left);
                        if refused.is_empty() {
                            refused.clone_from(&left);
                        }
                        left.retain(|key| !refused.contains(key));
                        let why = told(&error.code, &error.message);
                        done.extend(
                            refused
                                .into_iter()
                                .map(|key| Activation { key, refused: Some(why.clone()) }),
                        );
                    }
                }
            }
        }
        done.sort_by(|left, right| left.key.cmp(&right.key));
        done
    }

    /// Sends one call; returns what AWS says against single keys.
    async fn update(&self, keys: &[String]) -> Result<BTreeMap<String, String>, Error> {
        let entries = keys.iter().map(|key| {
            types::CostAllocationTagStatusEntry::builder()
                .tag_key(key)
                .status(types::CostAllocationTagStatus::Active)
                .build()
                .expect("an entry has a key and a status")
        });
        let output = self
            .client
            .update_cost_allocation_tags_status()
            .set_cost_allocation_tags_status(Some(entries.collect()))
            .send()
            .await
            .map_err(|error| Error::of(SERVICE, UPDATE, &error))?;
        let errors = output.errors.unwrap_or_default().into_iter();
        Ok(errors
            .map(|error| {
                let code = error.code.unwrap_or_default();
                (error.tag_key.unwrap_or_default(), told(&code, &error.message.unwrap_or_default()))
            })
            .collect())
    }

    /// Asks for the billing backfills there were, newest first as AWS lists them.
    pub async fn backfills(&self) -> Result<Vec<Backfill>, Error> {
        let stream =
            self.client.list_cost_allocation_tag_backfill_history().into_paginator().send();
        let listed =
            pages::list(SERVICE, HISTORY, stream, |page| (page.next_token, page.backfill_requests));
        Ok(listed.await.whole()?.into_iter().map(backfill).collect())
    }

    /// Asks billing to apply the present status of every key to history from a month on.
    ///
    /// Where nothing changed since the last one, AWS answers with that one and starts nothing.
    pub async fn start_backfill(&self, from: Month) -> Result<Backfill, Error> {
        let output = self
            .client
            .start_cost_allocation_tag_backfill()
            .backfill_from(format!("{}T00:00:00Z", from.start()))
            .send()
            .await
            .map_err(|error| Error::of(SERVICE, START, &error))?;
        let request = output.backfill_request;
        request
            .map(backfill)
            .ok_or_else(|| Error::unreadable(SERVICE, START, "no request in the answer"))
    }
}

fn backfill(request: types::CostAllocationTagBackfillRequest) -> Backfill {
    let status = request.backfill_status.map(|status| status.as_str().to_owned());
    Backfill {
        from: request.backfill_from.unwrap_or_default(),
        requested_at: request.requested_at.unwrap_or_default(),
        status: status.unwrap_or_default(),
    }
}

/// Joins the keys of a call that was taken with what was said against some; what names none of them is not lost.
fn taken(keys: Vec<String>, mut refused: BTreeMap<String, String>) -> Vec<Activation> {
    let mut done: Vec<Activation> =
        keys.into_iter().map(|key| Activation { refused: refused.remove(&key), key }).collect();
    done.extend(refused.into_iter().map(|(key, why)| Activation { key, refused: Some(why) }));
    done
}

/// Returns the keys of a refused call that AWS names as unknown.
fn not_found(error: &Error, keys: &[String]) -> Vec<String> {
    let Some((_, list)) = error.message.split_once("Tag keys not found:") else {
        return Vec::new();
    };
    let named: Vec<&str> = list.split(',').map(str::trim).collect();
    keys.iter().filter(|key| named.contains(&key.as_str())).cloned().collect()
}

fn told(code: &str, message: &str) -> String {
    if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") }
}

fn key_status(tag: types::CostAllocationTag) -> Result<KeyStatus, String> {
    let day = |text: Option<String>| text.as_deref().map(page::date).transpose();
    Ok(KeyStatus {
        active: Some(tag.status == types::CostAllocationTagStatus::Active),
        updated_at: tag.last_updated_date.as_deref().map(page::instant).transpose()?,
        last_used: day(tag.last_used_date)?,
        key: tag.tag_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, sequence};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn key_status_is_read_and_a_token_that_repeats_is_an_error() {
        let page = |token: Value| {
            let body = json!({
                "CostAllocationTags": [
                    {"TagKey": "team", "Type": "UserDefined", "Status": "Inactive"},
                    {"TagKey": "sagemaker:domain-arn", "Type": "UserDefined", "Status": "Active",
                     "LastUpdatedDate": "2026-05-02T00:00:00Z", "LastUsedDate": "2026-10-01T00:00:00Z"}
                ],
                "NextToken": token
            });
            Answer::Body(200, body.to_string())
        };
        let (session, _) = sequence(vec![page(json!(null))]).await;
        let keys = CostExplorer::new(&session, None).list_tag_keys(&["team"]).await.unwrap();
        assert_eq!(keys[0].key, "sagemaker:domain-arn");
        assert_eq!(keys[0].updated_on(), Some(jiff::civil::date(2026, 5, 2)));
        assert_eq!((keys[0].active, keys[1].active), (Some(true), Some(false)));
        let (session, bodies) = sequence(vec![page(json!("t")), page(json!("t"))]).await;
        let error = CostExplorer::new(&session, None).list_all_tag_keys().await.unwrap_err();
        assert_eq!(error.code, "RepeatedToken");
        assert_eq!(bodies.lock().unwrap()[0], "{}");
    }

    fn keys(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| format!("k{number:02}")).collect()
    }

    /// The keys of each call, and what became of each key that was refused.
    async fn activate(asked: &[String], answers: Vec<Answer>) -> (Vec<String>, Vec<String>) {
        let (session, bodies) = sequence(answers).await;
        let done = CostExplorer::new(&session, None).activate(asked).await;
        assert!(asked.iter().all(|key| done.iter().any(|it| it.key == *key)));
        let bodies = bodies.lock().unwrap();
        let calls = bodies.iter().map(|body| {
            let body: Value = serde_json::from_str(body).unwrap();
            let entries = body["CostAllocationTagsStatus"].as_array().unwrap();
            assert!(entries.iter().all(|it| it["Status"] == "Active"));
            let keys: Vec<&str> = entries.iter().map(|it| it["TagKey"].as_str().unwrap()).collect();
            format!("{} from {}", keys.len(), keys[0])
        });
        let refused =
            done.iter().filter_map(|it| Some(format!("{} {}", it.key, it.refused.as_ref()?)));
        (calls.collect(), refused.collect())
    }

    #[tokio::test]
    async fn both_ways_of_an_unknown_key_are_told_of_that_key() {
        let fine = || Answer::Body(200, r#"{"Errors":[]}"#.to_owned());
        let (calls, refused) = activate(&keys(0..45), vec![fine(), fine(), fine()]).await;
        assert_eq!(calls, ["20 from k00", "20 from k20", "5 from k40"]);
        assert!(refused.is_empty(), "{refused:?}");
        let whole = json!({"__type": "ValidationException",
            "message": "Failed to update Cost Allocation Tag: Tag keys not found: k00,k02"});
        let (calls, refused) =
            activate(&keys(0..4), vec![Answer::Body(400, whole.to_string()), fine()]).await;
        assert_eq!(calls, ["4 from k00", "2 from k01"]);
        let why = "ValidationException: Failed to update Cost Allocation Tag: Tag keys not found: k00,k02";
        assert_eq!(refused, [format!("k00 {why}"), format!("k02 {why}")]);
        let single = json!({"Errors": [{"TagKey": "k01", "Code": "TagKeysNotFoundException",
            "Message": "no k01"}, {"TagKey": "K99", "Code": "Odd", "Message": ""}]});
        let (_, refused) = activate(&keys(0..3), vec![Answer::Body(200, single.to_string())]).await;
        assert_eq!(refused, ["K99 Odd", "k01 TagKeysNotFoundException: no k01"]);
    }

    #[tokio::test]
    async fn a_call_that_is_refused_for_another_reason_is_told_of_each_of_its_keys_and_not_repeated()
     {
        let denied = r#"{"__type":"AccessDeniedException","Message":"no"}"#;
        let fine = Answer::Body(200, "{}".to_owned());
        let answers = vec![Answer::Body(400, denied.to_owned()), fine];
        let (calls, refused) = activate(&keys(0..22), answers).await;
        assert_eq!(calls, ["20 from k00", "2 from k20"]);
        assert_eq!(refused.len(), 20);
        assert_eq!(refused[0], "k00 AccessDeniedException: no");
    }

    #[tokio::test]
    async fn a_backfill_is_asked_for_from_the_first_moment_of_its_month() {
        let body = json!({"BackfillRequest": {"BackfillFrom": "2026-01-01T00:00:00Z",
            "RequestedAt": "2026-11-20T08:00:00Z", "BackfillStatus": "PROCESSING"}});
        let (session, bodies) = sequence(vec![Answer::Body(200, body.to_string())]).await;
        let explorer = CostExplorer::new(&session, None);
        let asked = explorer.start_backfill(Month::parse("2026-01").unwrap()).await.unwrap();
        assert_eq!(asked.status, "PROCESSING");
        assert_eq!(bodies.lock().unwrap()[0], r#"{"BackfillFrom":"2026-01-01T00:00:00Z"}"#);
    }
}
