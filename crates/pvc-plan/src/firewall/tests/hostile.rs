//! Texts that try to be more than a rule.

use super::*;

#[test]
fn what_people_write_is_taken_as_it_is() {
    for good in [
        "accept",
        "tcp dport 22 accept",
        "ip saddr { 10.0.0.0/8, 192.168.0.0/16 } tcp dport { 80, 443, 8000-8080 } accept",
        "ip6 saddr fe80::/10 icmpv6 type { nd-neighbor-solicit, parameter-problem } accept",
        "ct state new,related limit rate 10/second burst 5 packets accept",
        "tcp dport vmap { 22 : accept, 23 : drop }",
        "log prefix \"denied; by #7: \" drop",
        "iifname \"jump\" accept",
        "iifname != \"vmbr*\" drop",
        "ip saddr 10.0.0.1 comment \"Größe {\" reject with icmp type host-prohibited",
        "@th,16,16 53 accept",
        "meta l4proto { tcp, udp } th dport 53\taccept",
        "iifname jumpbox0 drop",
        "iifname flow0 drop",
        "ip6 flowlabel 1 drop",
        "iifname \"flow table\" drop",
        "ct mark & 0xff == 0x1 (accept)",
    ] {
        let text: RuleText =
            format!("  {good}\t").parse().unwrap_or_else(|bad| panic!("{good}: {bad}"));
        assert_eq!(text.as_str(), good);
    }
}

/// nft would ask for them when the rule is loaded.
#[test]
fn a_name_where_an_address_is_expected_is_refused() {
    for (bad, at) in [
        ("ip saddr localhost drop", "`localhost` at character 10"),
        ("ip saddr \"localhost\" drop", "`localhost` at character 11"),
        ("ip daddr != mail.example.com accept", "`mail.example.com` at character 13"),
        ("ip6 daddr { fe80::1, face.local } accept", "`face.local` at character 22"),
        ("tcp dport 25 ip saddr vmap { 10.0.0.1 : accept, a : drop }", "`a` at character 49"),
        ("ip saddr vmap { a:drop }", "`a` at character 17"),
        ("ip saddr & 255.0.0.0 == net drop", "`net` at character 25"),
        ("tcp dport . ip saddr { 22 . 10.0.0.1, ssh . a } accept", "`a` at character 45"),
        ("ct original ip saddr localhost drop", "`localhost` at character 22"),
        ("ip saddr 10.0.0.1-localhost drop", "`10.0.0.1-localhost` at character 10"),
        ("ip saddr 10.0.0.1 - localhost drop", "`localhost` at character 21"),
        ("ip saddr 10.0.0.1 -localhost drop", "`-localhost` at character 19"),
        ("ip saddr 10.0.0.1- localhost drop", "`localhost` at character 20"),
        ("ip saddr vmap { 10.0.0.1-localhost : drop }", "`10.0.0.1-localhost` at character 17"),
        ("ip6 saddr fd00::1-localhost drop", "`fd00::1-localhost` at character 11"),
        ("ip saddr (localhost) drop", "`localhost` at character 11"),
        ("ip saddr != ((localhost)) drop", "`localhost` at character 15"),
        ("ip saddr & (255.0.0.0) == net drop", "`net` at character 27"),
        ("ip daddr set ip saddr map { 10.0.0.1 : a } accept", "`a` at character 40"),
        ("ip daddr set numgen inc mod 2 map { 0 : 10.0.0.1, 1 : a }", "`a` at character 55"),
    ] {
        let refused = bad.parse::<RuleText>().expect_err(bad).to_string();
        assert!(refused.starts_with(at), "{bad}: {refused}");
        assert!(refused.contains(": expected an address or a prefix, not a name"), "{refused}");
    }
    for good in [
        "ip saddr 10.0.0.1 tcp dport ssh accept",
        "ip6 saddr != { fe80::/10, fd00::1-fd00::9, ::1 } drop",
        "ip6 saddr face::1 drop",
        "ip saddr vmap { 10.0.0.1 : accept, 10.0.0.0/24:drop }",
        "ip saddr . tcp dport { 10.0.0.1 . ssh, 10.0.0.2 . 22 } accept",
        "meta l4proto . ip saddr vmap { tcp . 10.0.0.1 : accept }",
        "fib saddr . iif oif missing drop",
        "fib daddr type local accept",
        "ether saddr 52:54:00:00:00:01 accept",
        "ip saddr != 10.0.0.0/8 log prefix \"ip saddr host \" drop",
        "ip saddr & 255.255.0.0 == 10.0.0.0 accept",
        "ip saddr 10.0.0.1-10.0.0.9 accept",
        "ip saddr 10.0.0.1 - 10.0.0.9 accept",
        "ip saddr (10.0.0.1) accept",
        "ip saddr 10.0.0.1 (accept)",
        "ip daddr set ip saddr map { 10.0.0.1 : 10.0.0.2 } meta mark set tcp dport map { ssh : 1 }",
    ] {
        good.parse::<RuleText>().unwrap_or_else(|bad| panic!("{good}: {bad}"));
    }
}

#[test]
fn what_is_more_than_a_rule_is_refused_and_said_where() {
    let long = format!("ip saddr {{ {} }} drop", "10.0.0.1, ".repeat(500));
    for (bad, message) in [
        ("", "nothing: expected a rule of nft"),
        (" \t ", "nothing: expected a rule of nft"),
        (&*long, "5018 bytes: expected at most 4096"),
        ("accept\nadd table inet evil", "`\\n` at character 7: expected one rule on one line"),
        ("accept\r", "`\\r` at character 7"),
        ("accept\u{0}", "`\\u{0}` at character 7"),
        ("accept; flush ruleset", "`;` at character 7"),
        ("accept # } \"", "`#` at character 8"),
        ("accept \\", "`\\` at character 8"),
        ("log prefix \"a\\\" accept", "`\\` at character 14"),
        ("ip saddr $evil accept", "`$` at character 10: expected values"),
        ("ip saddr @evil accept", "`@` at character 10: expected values"),
        ("add @within { 1 }", "`@` at character 5"),
        ("iifname vmap @leaving", "`@` at character 14"),
        ("ip saddr { 1.1.1.1 accept", "`{` at character 10: expected brackets and quotes in pairs"),
        ("accept } add table inet evil {", "`}` at character 8"),
        ("ip saddr ( 1.1.1.1 } accept", "`}` at character 20"),
        ("log prefix \"a accept", "`\"` at character 12"),
        ("log prefix \"a\" \" accept", "`\"` at character 16"),
        ("jump vxlan8-in", "`jump` at character 1: expected a verdict that leads to no other"),
        ("tcp dport 22jump vxlan8-in", "`jump` at character 13"),
        ("tcp dport 0xagoto vxlan8-in", "`goto` at character 12"),
        ("tcp dport vmap { 22 : goto x }", "`goto` at character 23"),
        ("tcp dport{22}jump x", "`jump` at character 14"),
        ("include \"/etc/passwd\"", "`include` at character 1: expected the rule itself"),
        ("define a = 1", "`define` at character 1"),
        ("meter a { ip saddr limit rate 1/second } drop", "`meter` at character 1"),
        ("flow table a { ip saddr limit rate 1/second } drop", "`flow` at character 1"),
        ("tcp dport 22flow \ttable a { ip saddr counter } drop", "`flow` at character 13"),
        ("tcp dport 0xaflow table a { ip saddr counter }", "`flow` at character 14"),
    ] {
        let refused = bad.parse::<RuleText>().expect_err(bad).to_string();
        assert!(refused.starts_with(message), "{bad:?}: {refused}");
    }
}

/// How many commands nft reads in a text: the ends of lines and `;` that are neither within quotes,
/// brackets, nor a comment, and not undone by a backslash. `None` when something is still open at
/// the end. Written after nft's own scanner, not after ours.
fn commands(text: &str) -> Option<usize> {
    let (mut count, mut depth, mut has_words) = (0, 0_i32, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '"' => length = rest[1..].find('"').map(|end| end + 2)?,
            '#' => length = rest.find('\n').unwrap_or(rest.len()),
            '\\' if rest[1..].trim_start_matches([' ', '\t']).starts_with('\n') => {
                length = rest.find('\n').map(|end| end + 1)?;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            '\n' | ';' if depth == 0 && has_words => {
                count += 1;
                has_words = false;
            }
            _ => {}
        }
        has_words |= !c.is_whitespace() && c != ';' && c != '#';
        rest = &rest[length..];
    }
    (depth == 0 && !has_words).then_some(count)
}

/// Of a small kind, and the same at every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What texts are made of: words of nft, and all that could mean something to its scanner.
const PIECES: [&str; 50] = [
    "accept",
    "drop",
    "tcp dport",
    "22",
    "ip saddr",
    "10.0.0.1",
    "counter",
    "log prefix",
    "comment",
    "vmap",
    "jump",
    "goto",
    "include",
    "define x =",
    "meter x",
    "flow table x",
    "$x",
    "@x",
    "@th,0,16",
    "add table inet evil",
    "flush ruleset",
    "vxlan8-in",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"",
    "'",
    ";",
    "#",
    "\\",
    "\\\n",
    "\n",
    "\r",
    "\t",
    " ",
    " ",
    " ",
    ",",
    ":",
    "0x",
    "é",
    "\u{2028}",
    "\u{0}",
    "*",
    "/",
    "-",
];

#[test]
fn whatever_is_taken_is_one_command() {
    let mut chance = Chance(1);
    let mut taken = 0;
    for _ in 0..50_000 {
        let pieces = 1 + chance.below(8);
        let text: String = (0..pieces).map(|_| PIECES[chance.below(PIECES.len())]).collect();
        let Ok(rule) = text.parse::<RuleText>() else { continue };
        taken += 1;
        let one = trial(std::slice::from_ref(&rule));
        assert_eq!(commands(&one), Some(5), "{text:?}");
        let network = network(&[("a", 0, &text), ("b", 1, "drop")]);
        let all = networks(&[(7, network)]);
        let made: String =
            changes(&wanted(&all), None).into_iter().map(|change| change.commands).collect();
        assert_eq!(commands(&made), Some(made.lines().count()), "{text:?}");
    }
    assert!(taken > 1_000, "only {taken} texts were taken: the test tests nothing");
}

#[test]
fn the_counting_of_commands_counts_what_would_be_two() {
    for (text, count) in [
        ("add rule a accept\n", Some(1)),
        ("add rule a accept; flush ruleset\n", Some(2)),
        ("add rule a accept\nflush ruleset\n", Some(2)),
        ("add rule a { accept\n", None),
        ("add rule a \"accept\n", None),
        ("add rule a accept \\\nadd rule b\n", Some(1)),
        ("add rule a # {\nadd rule b\n", Some(2)),
        ("add rule a \"x;y\n\" ; b\n", Some(2)),
    ] {
        assert_eq!(commands(text), count, "{text:?}");
    }
}
