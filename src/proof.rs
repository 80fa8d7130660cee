//! Owns pieces of evidence: what each says of whose a thing is, and how sure that is.

use std::collections::BTreeSet;

use crate::arn::DomainKey;

/// How sure it is whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A hint, for a person to look at.
    Review,
    /// Two hints that agree.
    Likely,
    /// What AWS itself says, or the user.
    Certain,
}

/// A sort of evidence, in the order of the rules of `docs/retag.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// The thing's ARN lies in a domain.
    OwnArn,
    /// The user's mapping names it.
    Mapping,
    /// A tag names a user profile.
    UserTag,
    /// A tag names a space.
    SpaceTag,
    /// Its description names the domain in which a person created it.
    CreatedBy,
    /// What created it has a domain.
    Parent,
    /// SageMaker's tag on a file system, or the domain's description, names it.
    HomeFileSystem,
    /// What it runs or serves has a domain.
    Uses,
    /// The role that it runs as is one that domains use.
    Role,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Of which sort it is.
    pub kind: EvidenceKind,
    /// The domains that it speaks for: one is named; several are possible and none is named; none at all is a remark.
    pub domains: BTreeSet<DomainKey>,
    /// How sure it is by itself.
    pub confidence: Confidence,
    /// What it is, for people.
    pub text: String,
}

impl Confidence {
    /// Every confidence, from the least.
    pub const ALL: [Confidence; 3] = [Confidence::Review, Confidence::Likely, Confidence::Certain];

    /// Returns the word.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Review => "review",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }

    /// Finds the confidence by its word.
    pub fn parse(text: &str) -> Option<Confidence> {
        Confidence::ALL.into_iter().find(|it| it.name() == text)
    }
}

impl EvidenceKind {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            EvidenceKind::OwnArn => "own_arn",
            EvidenceKind::Mapping => "mapping",
            EvidenceKind::UserTag => "user_tag",
            EvidenceKind::SpaceTag => "space_tag",
            EvidenceKind::CreatedBy => "created_by",
            EvidenceKind::Parent => "parent",
            EvidenceKind::HomeFileSystem => "home_file_system",
            EvidenceKind::Uses => "uses",
            EvidenceKind::Role => "role",
        }
    }

    /// Tells whether it stands whatever other evidence says.
    pub fn is_final(self) -> bool {
        matches!(self, EvidenceKind::OwnArn | EvidenceKind::Mapping)
    }
}

impl Evidence {
    /// Makes a piece of evidence that names one domain.
    pub fn of(
        kind: EvidenceKind,
        domain: DomainKey,
        confidence: Confidence,
        text: String,
    ) -> Evidence {
        Evidence { kind, domains: BTreeSet::from([domain]), confidence, text }
    }

    /// Makes a remark, which speaks for no domain.
    pub fn remark(kind: EvidenceKind, text: String) -> Evidence {
        Evidence { kind, domains: BTreeSet::new(), confidence: Confidence::Review, text }
    }

    /// Returns the domain that it names; absent when it leaves it open.
    pub fn domain(&self) -> Option<&DomainKey> {
        let mut domains = self.domains.iter();
        domains.next().filter(|_| domains.next().is_none())
    }

    /// Tells whether it is certain.
    pub fn is_certain(&self) -> bool {
        self.confidence == Confidence::Certain
    }
}
