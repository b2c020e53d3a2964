//! A disk that is full, and one that does not confirm what was written: what was acknowledged is there afterwards, and the
//! work goes on once there is room or another disk.

use super::child::{Order, recover, run, some_at_once, undisturbed};
use super::life::Acknowledged;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A small disk in memory, gone when it is dropped.
struct SmallDisk {
    at: tempfile::TempDir,
}

impl SmallDisk {
    fn of(kilobytes: u32) -> Self {
        let at = tempfile::tempdir().unwrap();
        assert!(mount(&["-t", "tmpfs", "-o", &size(kilobytes), "tmpfs"], at.path()), "mounting a small disk");
        Self { at }
    }

    fn grow(&self, kilobytes: u32) {
        assert!(mount(&["-o", &format!("remount,{}", size(kilobytes))], self.at.path()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _already = Command::new("umount").arg(self.at.path()).status();
    }
}

fn size(kilobytes: u32) -> String {
    format!("size={kilobytes}k")
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).status().is_ok_and(|status| status.success())
}

fn may_mount() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_full_disk_loses_nothing_and_the_work_goes_on_once_there_is_room() {
    if !may_mount() {
        println!("left out: a full disk (only root can mount a small one)");
        return;
    }
    let whole = undisturbed().whole();
    let (mut full, mut in_the_middle) = (0, 0);
    for kilobytes in (600..6_000).step_by(150) {
        let disk = SmallDisk::of(kilobytes);
        let lived = run(disk.at.path(), &Order::Live, &Acknowledged::default(), &[]);
        if lived.is_whole() {
            break;
        }
        full += 1;
        in_the_middle += u32::from(lived.acknowledged() != Acknowledged::default());
        disk.grow(64_000);
        recover(disk.at.path(), &lived, &whole, &format!("a disk of {kilobytes} kB"));
    }
    println!(
        "faults: {full} full disks, {in_the_middle} of them in the middle, all recovered: 0 lost, 0 doubled"
    );
    assert!(in_the_middle >= 3, "{in_the_middle} of {full} disks were full in the middle");
}

#[test]
fn a_write_that_the_disk_does_not_confirm_is_of_unknown_outcome_and_done_again() {
    let traced = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).status();
    if !traced.is_ok_and(|status| status.success()) {
        println!("left out: a disk that confirms nothing (strace cannot trace here)");
        return;
    }
    let whole = undisturbed().whole();
    let (failed, in_the_middle) = (AtomicU32::new(0), AtomicU32::new(0));
    some_at_once((2..400).step_by(9).collect(), |first: u32| {
        // One confirmation fails, or every one from then on.
        let when = if first.is_multiple_of(2) { format!("{first}") } else { format!("{first}+") };
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}");
        let under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", &inject]
            .map(str::to_owned);
        let folder = tempfile::tempdir().unwrap();
        let lived = run(folder.path(), &Order::Live, &Acknowledged::default(), &under);
        if lived.is_whole() {
            return;
        }
        failed.fetch_add(1, Relaxed);
        in_the_middle.fetch_add(u32::from(lived.acknowledged() != Acknowledged::default()), Relaxed);
        recover(folder.path(), &lived, &whole, &inject);
    });
    let (failed, in_the_middle) = (failed.into_inner(), in_the_middle.into_inner());
    println!(
        "faults: {failed} writes not confirmed, {in_the_middle} of them in the middle, all recovered: 0 lost, 0 doubled"
    );
    assert!(in_the_middle >= 5, "{in_the_middle} of {failed} came in the middle");
}
