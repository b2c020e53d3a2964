//! What a process gives up before it reads what may be hostile. None of it can be taken back.

use super::parse_process::ParseArguments;
use anyhow::Result;
use nix::libc;
use nix::sched::CloneFlags;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal,
    setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::collections::BTreeMap;

/// What a process that computes needs: memory, its end, the time, and randomness for hash tables.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigaction,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettid,
    libc::SYS_getpid,
];

/// Seconds of processor time after which a process that does not heed the first signal is killed.
const GRACE_SECONDS: u64 = 5;

/// Confines this process, which must have one thread: two pipes, memory and time within limits, no files, no network,
/// no other processes, no core dump.
///
/// # Errors
/// When the system refuses any of it but the namespaces, which it may not allow to everyone.
pub(super) fn confine(asked: &ParseArguments) -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    close_inherited()?;
    // A network and capabilities of its own, that is none. Not every system allows it; the filter below holds anyway.
    let apart = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
    let _not_everywhere = nix::sched::unshare(apart);
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nproc, 0, 0)?;
    limit(Resource::Nofile, 3, 3)?;
    limit(Resource::Cpu, asked.cpu_seconds, asked.cpu_seconds.saturating_add(GRACE_SECONDS))?;
    limit(Resource::As, asked.memory_bytes, asked.memory_bytes)?;
    Ok(apply_filter(&filter()?)?)
}

fn limit(of: Resource, current: u64, maximum: u64) -> rustix::io::Result<()> {
    setrlimit(of, Rlimit { current: Some(current), maximum: Some(maximum) })
}

/// Closes what was left open by whoever started the program, beyond the three that every process has.
fn close_inherited() -> Result<()> {
    let open = std::fs::read_dir("/proc/self/fd")?;
    let open: Vec<i32> = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The folder's own is among them and closed by now.
    open.into_iter().filter(|number| *number > 2).for_each(|number| _ = nix::unistd::close(number));
    Ok(())
}

/// Whatever is not listed fails, as if this process had no right to it.
fn filter() -> Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let argument = |number, operator, value| {
        SeccompRule::new(vec![SeccompCondition::new(number, SeccompCmpArgLen::Dword, operator, value)?])
    };
    let executable = u64::try_from(libc::PROT_EXEC)?;
    let not_executable = || argument(2, SeccompCmpOp::MaskedEq(executable), 0);
    rules.insert(libc::SYS_mmap, vec![not_executable()?]);
    rules.insert(libc::SYS_mprotect, vec![not_executable()?]);
    rules.insert(libc::SYS_read, vec![argument(0, SeccompCmpOp::Eq, 0)?]);
    rules.insert(libc::SYS_write, vec![argument(0, SeccompCmpOp::Le, 2)?]);
    // To give itself up, and nobody else.
    rules.insert(libc::SYS_tgkill, vec![argument(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?]);
    let denied = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
    let architecture = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture)?.try_into()?)
}
