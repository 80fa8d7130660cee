//! Owns the answers of IAM in tests: XML of its query protocol.

use crate::aws::testing::Answer;

/// Makes the answer to an operation.
pub(super) fn good(operation: &str, result: &str) -> Answer {
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    Answer::Body(200, format!("<{operation}Response>{result}</{operation}Response>"))
}

/// Makes the answer to an operation that tells nothing.
pub(super) fn done(operation: &str) -> Answer {
    Answer::Body(200, format!("<{operation}Response></{operation}Response>"))
}

/// Makes the refusal of a code.
pub(super) fn refusal(code: &str) -> Answer {
    let status = match code {
        "AccessDenied" => 403,
        "NoSuchEntity" => 404,
        _ => 409,
    };
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code></Error>");
    Answer::Body(status, format!("<ErrorResponse>{error}</ErrorResponse>"))
}

/// Makes the members of a policy's description, in the account 111122223333.
pub(super) fn policy(name: &str, version: &str, bounded_count: &str) -> String {
    format!(
        "<PolicyName>{name}</PolicyName><Arn>arn:aws:iam::111122223333:policy/{name}</Arn>\
         <DefaultVersionId>{version}</DefaultVersionId>{bounded_count}"
    )
}

/// Makes the count of whom a policy bounds.
pub(super) fn bounds(count: usize) -> String {
    format!("<PermissionsBoundaryUsageCount>{count}</PermissionsBoundaryUsageCount>")
}

/// Makes the answer to a question about a policy's version.
pub(super) fn document(text: &str) -> Answer {
    let version = format!("<PolicyVersion><Document>{text}</Document></PolicyVersion>");
    good("GetPolicyVersion", &version)
}

/// Makes the end of a page: the next marker, or that there is none.
pub(super) fn end(marker: Option<&str>) -> String {
    match marker {
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
        Some(marker) => format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
    }
}

/// Returns the value of a parameter of a request, as it was sent.
pub(super) fn sent<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
