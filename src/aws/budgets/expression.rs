//! Owns filter expressions of AWS Budgets between the SDK's types and JSON.
//!
//! **Invariant:** all that the SDK knows of an expression goes both ways, so that no filter is narrower than it was.

use aws_sdk_budgets::types;
use serde_json::{Map, Value, json};

/// Returns an expression in AWS's JSON.
pub(super) fn json(expression: &types::Expression) -> Value {
    let list =
        |expressions: &Vec<types::Expression>| -> Value { expressions.iter().map(json).collect() };
    let mut root = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        root.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("And", expression.and.as_ref().map(list));
    put("Or", expression.or.as_ref().map(list));
    put("Not", expression.not.as_deref().map(json));
    put(
        "Dimensions",
        expression.dimensions.as_ref().map(|leaf| {
            leaf_json(Some(leaf.key.as_str()), Some(&leaf.values), leaf.match_options.as_deref())
        }),
    );
    put(
        "Tags",
        expression.tags.as_ref().map(|leaf| {
            leaf_json(leaf.key.as_deref(), leaf.values.as_deref(), leaf.match_options.as_deref())
        }),
    );
    put(
        "CostCategories",
        expression.cost_categories.as_ref().map(|leaf| {
            leaf_json(leaf.key.as_deref(), leaf.values.as_deref(), leaf.match_options.as_deref())
        }),
    );
    put(
        "ProductAttributes",
        expression.product_attributes.as_ref().map(|leaf| {
            leaf_json(Some(&leaf.key), leaf.values.as_deref(), leaf.match_options.as_deref())
        }),
    );
    Value::Object(root)
}

fn leaf_json(
    key: Option<&str>,
    values: Option<&[String]>,
    options: Option<&[types::MatchOption]>,
) -> Value {
    let options: Option<Vec<&str>> =
        options.map(|options| options.iter().map(types::MatchOption::as_str).collect());
    let mut leaf = Map::new();
    leaf.extend(key.map(|key| ("Key".to_owned(), json!(key))));
    leaf.extend(values.map(|values| ("Values".to_owned(), json!(values))));
    leaf.extend(options.map(|options| ("MatchOptions".to_owned(), json!(options))));
    Value::Object(leaf)
}

/// The members of a leaf, whatever its kind.
#[derive(Default)]
struct Leaf {
    key: Option<String>,
    values: Option<Vec<String>>,
    options: Option<Vec<types::MatchOption>>,
}

/// Reads an expression of AWS's JSON, which is of this program's making or came from AWS.
pub(super) fn of_json(json: &Value) -> types::Expression {
    let list = |value: &Value| -> Option<Vec<types::Expression>> {
        Some(value.as_array().expect("`And` and `Or` hold lists").iter().map(of_json).collect())
    };
    let mut root = types::Expression::builder();
    for (name, value) in json.as_object().expect("an expression is an object") {
        root = match name.as_str() {
            "And" => root.set_and(list(value)),
            "Or" => root.set_or(list(value)),
            "Not" => root.not(of_json(value)),
            "Dimensions" => root.dimensions(dimension(leaf(value))),
            "Tags" => {
                let Leaf { key, values, options } = leaf(value);
                let tags = types::TagValues::builder().set_key(key).set_values(values);
                root.tags(tags.set_match_options(options).build())
            }
            "CostCategories" => {
                let Leaf { key, values, options } = leaf(value);
                let leaf = types::CostCategoryValues::builder().set_key(key).set_values(values);
                root.cost_categories(leaf.set_match_options(options).build())
            }
            "ProductAttributes" => {
                let Leaf { key, values, options } = leaf(value);
                let leaf = types::ProductAttributeValues::builder().set_key(key).set_values(values);
                let leaf = leaf.set_match_options(options).build();
                root.product_attributes(leaf.expect("a product attribute has a key"))
            }
            other => unreachable!("an expression has no member `{other}`"),
        };
    }
    root.build()
}

fn dimension(leaf: Leaf) -> types::ExpressionDimensionValues {
    let key = leaf.key.as_deref().map(types::Dimension::from);
    types::ExpressionDimensionValues::builder()
        .set_key(key)
        .set_values(leaf.values)
        .set_match_options(leaf.options)
        .build()
        .expect("a dimension has a key and values")
}

fn leaf(json: &Value) -> Leaf {
    let text = |value: &Value| value.as_str().expect("keys and values are texts").to_owned();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().expect("values are a list").iter().map(text).collect()
    };
    let mut leaf = Leaf::default();
    for (name, value) in json.as_object().expect("a leaf is an object") {
        match name.as_str() {
            "Key" => leaf.key = Some(text(value)),
            "Values" => leaf.values = Some(texts(value)),
            "MatchOptions" => {
                let options = texts(value);
                let options = options.iter().map(|it| types::MatchOption::from(it.as_str()));
                leaf.options = Some(options.collect());
            }
            other => unreachable!("a leaf has no member `{other}`"),
        }
    }
    leaf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_goes_both_ways() {
        for text in [
            r#"{"And":[{"Or":[{"Tags":{"Key":"user:a","Values":["x","y"]}},{"Tags":{"Key":"user:b","MatchOptions":["ABSENT"]}}]},{"Not":{"Dimensions":{"Key":"RECORD_TYPE","Values":["Credit"]}}}]}"#,
            r#"{"CostCategories":{"Key":"c","MatchOptions":["STARTS_WITH","CASE_INSENSITIVE"],"Values":["v"]}}"#,
            r#"{"ProductAttributes":{"Key":"model","Values":["m"]}}"#,
            r#"{"Dimensions":{"Key":"SOMETHING_NEW","Values":["v"]}}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(json(&of_json(&value)), value, "{text}");
        }
    }
}
