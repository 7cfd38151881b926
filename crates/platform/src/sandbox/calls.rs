//! This owns the system calls that the server never needs, and has the kernel refuse them.
//!
//! It is a list of what is refused, not of what is allowed: an allocator or a runtime may need a new call with its next
//! version, and a server that dies of it helps nobody. Files and ports are held by Landlock.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter, sock_filter,
};

/// Calls that are refused together: what they would be good for, which they are, and with which arguments. One case is
/// enough, and a case is all of its conditions; without cases they are refused always.
type Group = (&'static str, &'static [c_long], &'static [&'static [Arg]]);

const ALWAYS: &[&[Arg]] = &[];

/// A condition of one argument.
#[derive(Clone, Copy)]
enum Arg {
    /// It is none of these.
    NoneOf(u8, &'static [c_long]),
    /// Of the bits in the first number, it has those of the second.
    Bits(u8, c_long, c_long),
}

const fn has(place: u8, bits: c_long) -> Arg {
    Arg::Bits(place, bits, bits)
}

const fn lacks(place: u8, bits: c_long) -> Arg {
    Arg::Bits(place, bits, 0)
}

/// The bits of a socket's type that are not flags; streams are 1, datagrams 2.
const SOCKET_TYPE: c_long = 0b1111;

/// What answers EPERM.
const REFUSED: &[Group] = &[
    ("starts another program", &[libc::SYS_execve, libc::SYS_execveat], ALWAYS),
    (
        "reads or changes another program",
        &[
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_process_madvise,
            libc::SYS_process_mrelease,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_getfd,
            libc::SYS_kcmp,
            libc::SYS_migrate_pages,
            libc::SYS_move_pages,
        ],
        ALWAYS,
    ),
    (
        "changes what is mounted where",
        &[
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
            libc::SYS_mount_setattr,
            libc::SYS_fsopen,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
        ],
        ALWAYS,
    ),
    ("takes another view of the machine", &[libc::SYS_unshare, libc::SYS_setns], ALWAYS),
    (
        "opens files past their paths, or watches all of them",
        &[
            libc::SYS_name_to_handle_at,
            libc::SYS_open_by_handle_at,
            libc::SYS_fanotify_init,
            libc::SYS_fanotify_mark,
            libc::SYS_mknodat,
            libc::SYS_quotactl,
            libc::SYS_quotactl_fd,
        ],
        ALWAYS,
    ),
    (
        "reaches parts of the kernel that most attacks on it went through",
        &[
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_keyctl,
            libc::SYS_lookup_dcookie,
            libc::SYS_nfsservctl,
        ],
        ALWAYS,
    ),
    (
        "changes the kernel, or reads its log",
        &[
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_kexec_load,
            libc::SYS_reboot,
            libc::SYS_syslog,
        ],
        ALWAYS,
    ),
    (
        "changes the machine for everyone",
        &[
            libc::SYS_swapon,
            libc::SYS_swapoff,
            libc::SYS_acct,
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_clock_adjtime,
            libc::SYS_adjtimex,
            libc::SYS_sethostname,
            libc::SYS_setdomainname,
            libc::SYS_vhangup,
        ],
        ALWAYS,
    ),
    (
        "takes another identity, or another kind of machine",
        &[
            libc::SYS_setuid,
            libc::SYS_setgid,
            libc::SYS_setreuid,
            libc::SYS_setregid,
            libc::SYS_setresuid,
            libc::SYS_setresgid,
            libc::SYS_setgroups,
            libc::SYS_setfsuid,
            libc::SYS_setfsgid,
            libc::SYS_capset,
            libc::SYS_personality,
        ],
        ALWAYS,
    ),
    (
        "starts another process, or a thread with another view of the machine",
        &[libc::SYS_clone],
        &[
            &[lacks(0, libc::CLONE_THREAD as c_long)],
            &[has(0, libc::CLONE_NEWNS as c_long)],
            &[has(0, libc::CLONE_NEWCGROUP as c_long)],
            &[has(0, libc::CLONE_NEWUTS as c_long)],
            &[has(0, libc::CLONE_NEWIPC as c_long)],
            &[has(0, libc::CLONE_NEWUSER as c_long)],
            &[has(0, libc::CLONE_NEWPID as c_long)],
            &[has(0, libc::CLONE_NEWNET as c_long)],
        ],
    ),
    (
        "makes memory executable: all programs and libraries are loaded before",
        &[libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect],
        &[&[has(2, libc::PROT_EXEC as c_long)]],
    ),
    (
        "opens raw, packet, kernel and virtual-machine sockets, and those that Landlock does not know as TCP",
        &[libc::SYS_socket],
        &[
            &[Arg::NoneOf(0, &[libc::AF_UNIX as c_long, libc::AF_INET as c_long, libc::AF_INET6 as c_long])],
            &[Arg::NoneOf(2, &[0, libc::IPPROTO_TCP as c_long, libc::IPPROTO_UDP as c_long])],
            // Raw ones are 3; all the others have one of the higher bits.
            &[Arg::Bits(1, SOCKET_TYPE, libc::SOCK_RAW as c_long)],
            &[has(1, 0b0100)],
            &[has(1, 0b1000)],
        ],
    ),
    (
        "sends data with the request for a connection, before anybody asks whether it may be made",
        &[libc::SYS_sendto, libc::SYS_sendmmsg],
        &[&[has(3, libc::MSG_FASTOPEN as c_long)]],
    ),
    ("the same", &[libc::SYS_sendmsg], &[&[has(2, libc::MSG_FASTOPEN as c_long)]]),
];

/// What answers ENOSYS: its arguments lie in memory, where no filter sees them. The C library then takes `clone`.
const UNKNOWN: &[Group] = &[("starts threads and processes", &[libc::SYS_clone3], ALWAYS)];

/// What only older kinds of machines have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Group] = &[
    ("starts another process", &[libc::SYS_fork, libc::SYS_vfork], ALWAYS),
    (
        "commands devices, or changes segments",
        &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt],
        ALWAYS,
    ),
    (
        "loads libraries, kernels and devices the old way",
        &[libc::SYS_uselib, libc::SYS_kexec_file_load, libc::SYS_mknod],
        ALWAYS,
    ),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Group] = &[];

/// On x86-64, calls from this number on are those of its variant with short pointers: the same ones again, which a list of
/// numbers would miss. No other kind of machine has so high numbers.
const SHORT_POINTERS: u32 = 0x4000_0000;

/// Has the kernel refuse the calls of the calling thread and its children; returns how many, if it can.
pub(super) fn refuse() -> Option<u16> {
    programs().ok()?.iter().try_for_each(|program| apply_filter(program)).ok()?;
    let groups = REFUSED.iter().chain(OLDER).chain(UNKNOWN);
    u16::try_from(groups.map(|(_, calls, _)| calls.len()).sum::<usize>()).ok()
}

/// One program for each answer; the kernel runs them all, and an error wins.
fn programs() -> Result<[BpfProgram; 2], BackendError> {
    let refused = program(REFUSED.iter().chain(OLDER), libc::EPERM)?;
    let refused = short_pointers_refused().into_iter().chain(refused).collect();
    Ok([refused, program(UNKNOWN.iter(), libc::ENOSYS)?])
}

/// A program that answers the calls of these groups with an error, and lets all others through.
fn program<'a>(groups: impl Iterator<Item = &'a Group>, error: i32) -> Result<BpfProgram, BackendError> {
    let mut rules = BTreeMap::new();
    for (_, calls, cases) in groups {
        let cases = cases.iter().map(|case| rule(case)).collect::<Result<Vec<_>, _>>()?;
        rules.extend(calls.iter().map(|call| (*call, cases.clone())));
    }
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(error.unsigned_abs()), arch)?
        .try_into()
}

fn rule(case: &[Arg]) -> Result<SeccompRule, BackendError> {
    let mut conditions = Vec::new();
    let mut add = |place, operator, number: c_long| {
        // The kernel looks at the lower half of these arguments alone.
        let condition =
            SeccompCondition::new(place, SeccompCmpArgLen::Dword, operator, number.unsigned_abs())?;
        conditions.push(condition);
        Ok::<_, BackendError>(())
    };
    for arg in case {
        match *arg {
            Arg::NoneOf(place, numbers) => {
                numbers.iter().try_for_each(|number| add(place, SeccompCmpOp::Ne, *number))?;
            }
            Arg::Bits(place, mask, bits) => add(place, SeccompCmpOp::MaskedEq(mask.unsigned_abs()), bits)?,
        }
    }
    SeccompRule::new(conditions)
}

/// The first steps of a program: load the number of the call; one of the variant ends here.
fn short_pointers_refused() -> [sock_filter; 3] {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let refused = u32::from(SeccompAction::Errno(libc::ENOSYS.unsigned_abs()));
    [
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: AT_LEAST, jt: 0, jf: 1, k: SHORT_POINTERS },
        sock_filter { code: ANSWER, jt: 0, jf: 0, k: refused },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would answer: the error, or 0. It runs a program step by step, as the kernel does.
    fn answer(program: &[sock_filter], call: c_long, args: [c_long; 6]) -> u32 {
        let word = |offset: u32| match offset {
            0 => call as u32,
            // The kind of machine, as its first comparison expects it.
            4 => program.iter().find(|step| step.code == 0x15).unwrap().k,
            offset => (args[(offset as usize - 16) / 8] as u64 >> (offset % 8 * 8)) as u32,
        };
        let (mut at, mut held) = (0, 0);
        loop {
            let step = program[at].clone();
            at += 1;
            let holds = match step.code {
                0x20 => {
                    held = word(step.k);
                    continue;
                }
                0x54 => {
                    held &= step.k;
                    continue;
                }
                0x05 => {
                    at += step.k as usize;
                    continue;
                }
                0x06 => return if step.k == 0x7fff_0000 { 0 } else { step.k & 0xffff },
                0x15 => held == step.k,
                0x25 => held > step.k,
                0x35 => held >= step.k,
                other => panic!("step {other:#x}"),
            };
            at += usize::from(if holds { step.jt } else { step.jf });
        }
    }

    fn refused(call: c_long, args: &[c_long]) -> bool {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        let [refused, unknown] = programs().unwrap();
        answer(&refused, call, all) + answer(&unknown, call, all) != 0
    }

    #[test]
    fn calls_of_the_table_are_refused_and_others_are_not() {
        for (why, calls, cases) in
            REFUSED.iter().chain(OLDER).chain(UNKNOWN).filter(|group| group.2.is_empty())
        {
            assert!(cases.is_empty() && calls.iter().all(|call| refused(*call, &[])), "{why}");
        }
        for call in
            [libc::SYS_read, libc::SYS_openat, libc::SYS_futex, libc::SYS_accept4, libc::SYS_exit_group]
        {
            assert!(!refused(call, &[]), "{call}");
            assert!(refused(call + c_long::from(SHORT_POINTERS), &[]), "{call} with short pointers");
        }
    }

    #[test]
    fn arguments_decide_where_the_call_itself_is_needed() {
        const THREAD: c_long =
            (libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD)
                as c_long;
        let number = c_long::from;
        let (stream, flags) = (number(libc::SOCK_STREAM), number(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK));
        let [unix, inet, inet6] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(number);
        for (call, args, expected) in [
            (libc::SYS_clone, &[THREAD][..], false),
            (libc::SYS_clone, &[number(libc::SIGCHLD)], true),
            (libc::SYS_clone, &[THREAD | number(libc::CLONE_NEWNET)], true),
            (libc::SYS_clone, &[THREAD | number(libc::CLONE_NEWUSER)], true),
            (libc::SYS_mmap, &[0, 4096, number(libc::PROT_READ | libc::PROT_WRITE)], false),
            (libc::SYS_mmap, &[0, 4096, number(libc::PROT_READ | libc::PROT_EXEC)], true),
            (libc::SYS_mprotect, &[0, 4096, number(libc::PROT_EXEC)], true),
            (libc::SYS_socket, &[inet, stream | flags, 0], false),
            (libc::SYS_socket, &[inet6, number(libc::SOCK_DGRAM) | flags, number(libc::IPPROTO_UDP)], false),
            (libc::SYS_socket, &[unix, stream | flags, 0], false),
            (libc::SYS_socket, &[inet, number(libc::SOCK_RAW), number(libc::IPPROTO_TCP)], true),
            (libc::SYS_socket, &[inet, stream, number(libc::IPPROTO_MPTCP)], true),
            (libc::SYS_socket, &[unix, number(libc::SOCK_SEQPACKET), 0], true),
            (libc::SYS_socket, &[inet, 10, 0], true),
            (libc::SYS_socket, &[number(libc::AF_PACKET), number(libc::SOCK_DGRAM), 0], true),
            (libc::SYS_socket, &[number(libc::AF_NETLINK), stream, 0], true),
            (libc::SYS_socket, &[number(libc::AF_VSOCK), stream, 0], true),
            (libc::SYS_sendto, &[3, 0, 0, number(libc::MSG_NOSIGNAL)], false),
            (libc::SYS_sendto, &[3, 0, 0, number(libc::MSG_NOSIGNAL | libc::MSG_FASTOPEN)], true),
        ] {
            assert_eq!(refused(call, args), expected, "{call} {args:x?}");
        }
    }
}
