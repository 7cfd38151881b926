//! This owns keeping the process to its files, its TCP ports and its own programs, with Landlock.
//! It does not know which; see `reach`.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    make_bitflags, path_beneath_rules,
};

use super::reach::Reach;

/// What is asked of the kernel. A newer one can more, and is not asked for what no test has seen yet.
const ASKED: ABI = ABI::V6;
/// What nobody needs in a data folder: programs, devices, pipes.
const NEVER: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    Execute | MakeChar | MakeBlock | MakeFifo | IoctlDev
});

/// Holds the calling thread and its children to `reach`; returns the version of Landlock that does, if any.
pub(super) fn restrict(reach: &Reach) -> Option<u8> {
    let status = ask(reach).ok()?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => u8::try_from(effective_abi as i32).ok(),
        _ => None,
    }
}

fn ask(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let ports = |ports: &[u16], access: AccessNet| {
        let rules = ports.iter().map(move |port| Ok::<_, RulesetError>(NetPort::new(*port, access)));
        rules.collect::<Vec<_>>()
    };
    Ruleset::default()
        // Files move between folders of the data; where Landlock cannot let them, it must not hold files at all.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ASKED))?
        .handle_access(AccessNet::from_all(ASKED))?
        .scope(Scope::from_all(ASKED))?
        .create()?
        .add_rules(path_beneath_rules(&reach.work, AccessFs::from_all(ASKED) & !NEVER))?
        .add_rules(path_beneath_rules(&reach.read, read))?
        .add_rules(ports(&reach.listen, AccessNet::BindTcp))?
        .add_rules(ports(&reach.connect, AccessNet::ConnectTcp))?
        .restrict_self()
}
