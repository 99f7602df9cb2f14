//! Which of the replicated databases leads: the primary's; and whether a node's own could.
//!
//! Who leads is decided by those who replicate them, for only they know who has all the data. What
//! is decided here is whether to ask for it.
//!
//! A replica may be left behind for good: where the lead passes on twice within one segment of the log, the
//! last leader has no file of the timeline between, and who lost its power just then waits for it for ever.
//! All its data is elsewhere, so it can be copied anew.

use pvc_common::id::NodeName;
use pvc_common::observed::{Member, Replication};

/// Bytes in a segment of PostgreSQL's log. Patroni calls a replica that gets nothing of it `running` for
/// ever, even if the leader has no longer what it lacks: by this it is known.
const SEGMENT: u64 = 16 << 20;

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

/// How a node's own database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// It leads, or follows who does.
    Fit,
    /// It does not follow.
    Behind {
        /// Why, for people.
        why: String,
        /// Whether it never will, and is up, as the leader is, and a third one follows: then the data is in
        /// two places while it is copied anew. Not while people have Patroni paused: they are at work on it.
        spare: bool,
    },
}

/// How `me`'s database is.
#[must_use]
pub fn fitness(me: &NodeName, seen: &Replication) -> Fitness {
    let behind = |why, spare| Fitness::Behind { why, spare };
    let Some(own) = seen.members.iter().find(|member| member.name == me.as_str()) else {
        return behind("the database here is not known to Patroni".to_owned(), false);
    };
    let Some(leader) = seen.members.iter().find(|member| member.leads) else {
        return behind("no database leads".to_owned(), false);
    };
    let shares = |member: &Member| member.timeline == leader.timeline;
    let follows = |member: &Member| {
        let lacks_little = member.lag.is_some_and(|lag| lag <= SEGMENT);
        serves(member) && (member.leads || shares(member) && lacks_little)
    };
    if follows(own) {
        return Fitness::Fit;
    }
    let third = |member: &&Member| !member.leads && member.name != own.name;
    // On the leader's timeline it may be catching up, and is better than none.
    let spare = (serves(own) || own.state == "starting")
        && !shares(own)
        && serves(leader)
        && !seen.paused
        && seen.members.iter().filter(third).any(follows);
    let lacks = match own.lag {
        _ if !serves(own) || !shares(own) => String::new(),
        Some(bytes) => format!(": it lacks {} MiB of its log", bytes >> 20),
        None => ": nobody knows how much of its log it lacks".to_owned(),
    };
    let Member { state, name, .. } = own;
    let why =
        format!("the database of {name} is {state}, and does not follow {}{lacks}", leader.name);
    behind(why, spare)
}

fn serves(member: &Member) -> bool {
    // Versions of Patroni differ in what they call a replica that follows, or is up without doing so.
    matches!(member.state.as_str(), "running" | "streaming" | "in archive recovery")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(members: &[(&str, bool, &str)]) -> Leading {
        let member = |(name, leads, state): &(&str, bool, &str)| Member {
            name: (*name).to_owned(),
            leads: *leads,
            state: (*state).to_owned(),
            timeline: None,
            lag: None,
        };
        let members = members.iter().map(member).collect();
        leading(&"hv2".parse().unwrap(), &Replication { members, paused: false })
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

    /// Of hv2, by a line per member: name, timeline, state; the leader first.
    fn fit(members: &[(&str, Option<u64>, &str)]) -> Fitness {
        let member =
            |(place, (name, timeline, state)): (usize, &(&str, Option<u64>, &str))| Member {
                name: (*name).to_owned(),
                leads: place == 0,
                state: (*state).to_owned(),
                timeline: *timeline,
                lag: (place > 0 && timeline.is_some()).then_some(0),
            };
        let members = members.iter().enumerate().map(member).collect();
        fitness(&"hv2".parse().unwrap(), &Replication { members, paused: false })
    }

    /// Of hv2, where hv1 leads and the others lack so much of its log.
    fn lacking(own: Option<u64>, third: Option<u64>, own_timeline: u64) -> Fitness {
        let member = |name: &str, timeline, lag| Member {
            name: name.to_owned(),
            leads: name == "hv1",
            state: "running".to_owned(),
            timeline: Some(timeline),
            lag,
        };
        let members =
            vec![member("hv1", 9, None), member("hv2", own_timeline, own), member("hv3", 9, third)];
        fitness(&"hv2".parse().unwrap(), &Replication { members, paused: false })
    }

    #[test]
    fn who_lacks_more_of_the_log_than_a_segment_does_not_follow() {
        let behind = |lacks: &str, spare| {
            let why = format!("the database of hv2 is running, and does not follow hv1{lacks}");
            Fitness::Behind { why, spare }
        };
        assert_eq!(lacking(Some(SEGMENT), Some(0), 9), Fitness::Fit);
        // It may be catching up, so its data stays.
        assert_eq!(
            lacking(Some(371 << 20), Some(0), 9),
            behind(": it lacks 371 MiB of its log", false)
        );
        let unknown = ": nobody knows how much of its log it lacks";
        assert_eq!(lacking(None, Some(0), 9), behind(unknown, false));
        assert_eq!(lacking(Some(0), Some(0), 8), behind("", true));
        // The third would be of no use if the leader died meanwhile.
        for third in [Some(SEGMENT + 1), None] {
            assert_eq!(lacking(Some(0), third, 8), behind("", false));
        }
    }

    #[test]
    fn a_database_is_fit_if_it_leads_or_follows_the_leader() {
        let (leader, third) = (("hv1", Some(9), "running"), ("hv3", Some(9), "streaming"));
        assert_eq!(fit(&[("hv2", Some(9), "running")]), Fitness::Fit);
        assert_eq!(fit(&[leader, ("hv2", Some(9), "streaming")]), Fitness::Fit);
        let behind = |why: &str, spare| Fitness::Behind { why: why.to_owned(), spare };
        let why = "the database of hv2 is starting, and does not follow hv1";
        let starting = ("hv2", None, "starting");
        assert_eq!(fit(&[leader, starting, third]), behind(why, true));
        // Of an older timeline it serves, and shows what was.
        let why = "the database of hv2 is running, and does not follow hv1";
        let (old, odd) = (("hv2", Some(8), "running"), ("hv3", Some(8), "running"));
        assert_eq!(fit(&[leader, old, third]), behind(why, true));
        assert_eq!(fit(&[leader, old]), behind(why, false), "two copies, of which one is bad");
        assert_eq!(fit(&[leader, old, odd]), behind(why, false), "the third is no copy either");
        assert_eq!(fit(&[("hv1", None, "starting"), old, third]), behind(why, false));
        // Patroni is at it already, or its program does not come up: nothing is thrown away.
        for state in ["creating replica", "start failed", "stopped"] {
            let why = format!("the database of hv2 is {state}, and does not follow hv1");
            assert_eq!(fit(&[leader, ("hv2", None, state), third]), behind(&why, false));
        }
        assert_eq!(fit(&[leader]), behind("the database here is not known to Patroni", false));
        assert_eq!(
            fitness(&"hv2".parse().unwrap(), &Replication::default()),
            behind("the database here is not known to Patroni", false)
        );
    }
}
