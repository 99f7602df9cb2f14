//! Which of the replicated databases leads: the primary's.
//!
//! Who leads is decided by those who replicate them, for only they know who has all the data. What
//! is decided here is whether to ask for it.

use pvc_common::id::NodeName;
use pvc_common::observed::Replication;

/// What a primary does about its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leading {
    /// It leads.
    Here,
    /// It can lead: whoever does is asked to pass it on.
    Ask {
        /// The member that leads.
        from: String,
    },
    /// It cannot lead now.
    Not {
        /// Why, for people.
        why: String,
    },
}

/// What the primary `me` does about its database.
#[must_use]
pub fn leading(me: &NodeName, seen: &Replication) -> Leading {
    let not = |why| Leading::Not { why };
    let Some(own) = seen.members.iter().find(|member| member.name == me.as_str()) else {
        return not(format!("{me} has none that is known"));
    };
    let serves = matches!(own.state.as_str(), "running" | "streaming");
    let leader = seen.members.iter().find(|member| member.leads);
    match leader {
        _ if !serves => not(format!("that of {me} is {}", own.state)),
        Some(leader) if leader.name == own.name => Leading::Here,
        Some(leader) => Leading::Ask { from: leader.name.clone() },
        None => not("none leads yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::observed::Member;

    use super::*;

    fn decide(members: &[(&str, bool, &str)]) -> Leading {
        let member = |(name, leads, state): &(&str, bool, &str)| Member {
            name: (*name).to_owned(),
            leads: *leads,
            state: (*state).to_owned(),
        };
        let members = members.iter().map(member).collect();
        leading(&"hv2".parse().unwrap(), &Replication { members })
    }

    fn not(why: &str) -> Leading {
        Leading::Not { why: why.to_owned() }
    }

    #[test]
    fn a_primary_asks_for_the_lead_of_a_database_that_can_have_it() {
        let other = ("hv1", true, "running");
        assert_eq!(decide(&[("hv1", false, "running"), ("hv2", true, "running")]), Leading::Here);
        // Versions differ in what they call a replica that follows.
        for follows in ["running", "streaming"] {
            let asked = Leading::Ask { from: "hv1".to_owned() };
            assert_eq!(decide(&[other, ("hv2", false, follows)]), asked);
        }
        let starting = not("that of hv2 is starting");
        assert_eq!(decide(&[other, ("hv2", false, "starting")]), starting);
        assert_eq!(decide(&[("hv2", true, "starting")]), starting);
        assert_eq!(decide(&[other]), not("hv2 has none that is known"));
        assert_eq!(decide(&[("hv2", false, "running")]), not("none leads yet"));
    }
}
