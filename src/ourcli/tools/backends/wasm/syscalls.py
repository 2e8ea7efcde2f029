"""Numbers of the system calls that a worker gives up, for each architecture (Linux `unistd` tables)."""


class Architecture:
    """One machine's numbers; a plain class, since a worker imports this file and a call waits for it.

    Args:
        audit: How seccomp names the architecture (`AUDIT_ARCH_*`).
        seccomp: Number of the call that sets the filter.
        capset: Number of the call that sets capabilities.
        clone: Number of the call that makes threads and processes.
        clone3: Number of its newer form.
        refused: Calls that fail with EPERM.
    """

    __slots__ = ("audit", "capset", "clone", "clone3", "refused", "seccomp")

    def __init__(
        self, *, audit: int, seccomp: int, capset: int, clone: int, clone3: int, refused: frozenset[int]
    ) -> None:
        self.audit, self.seccomp, self.capset = audit, seccomp, capset
        self.clone, self.clone3, self.refused = clone, clone3, refused


_NEWER = frozenset(
    {
        *(424, 434, 438),  # pidfd_send_signal pidfd_open pidfd_getfd
        *(425, 426, 427),  # io_uring_setup io_uring_enter io_uring_register
        *(428, 429, 430, 431, 432, 433, 442),  # open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
    }
)
"""Numbers that all architectures share."""

_X86_64 = frozenset(
    {
        *(41, 42, 43, 44, 45, 46, 47, 49, 50, 53, 288, 299, 307),  # socket and all that needs one
        *(57, 58, 59, 322),  # fork vfork execve execveat
        *(62, 129, 200, 297),  # kill rt_sigqueueinfo tkill rt_tgsigqueueinfo
        *(101, 310, 311, 312),  # ptrace process_vm_readv process_vm_writev kcmp
        *(155, 161, 163, 165, 166, 167, 168, 179),  # pivot_root chroot acct mount umount2 swapon swapoff quotactl
        *(105, 106, 113, 114, 116, 117, 119, 122, 123, 126, 135),  # set*id capset personality
        *(159, 164, 169, 170, 171, 227),  # adjtimex settimeofday reboot sethostname setdomainname clock_settime
        *(154, 172, 173),  # modify_ldt iopl ioperm
        *(175, 176, 246, 313, 320, 321, 323, 298),  # modules, kexec, bpf, userfaultfd, perf_event_open
        *(248, 249, 250),  # add_key request_key keyctl
        *(272, 308),  # unshare setns
        *(303, 304),  # name_to_handle_at open_by_handle_at
        *(133, 259),  # mknod mknodat
        *(29, 64, 68, 240),  # shmget semget msgget mq_open
    }
)

_AARCH64 = frozenset(
    {
        *(198, 199, 200, 201, 202, 203, 206, 207, 211, 212, 242, 243, 269),  # socket and all that needs one
        *(221, 281),  # execve execveat
        *(129, 130, 138, 240),  # kill tkill rt_sigqueueinfo rt_tgsigqueueinfo
        *(117, 270, 271, 272),  # ptrace process_vm_readv process_vm_writev kcmp
        *(39, 40, 41, 51, 60, 89, 224, 225),  # umount2 mount pivot_root chroot quotactl acct swapon swapoff
        *(91, 92, 143, 144, 145, 146, 147, 149, 151, 152, 159),  # capset personality set*id
        *(112, 142, 161, 162, 170, 171),  # clock_settime reboot sethostname setdomainname settimeofday adjtimex
        *(104, 105, 106, 273, 280, 282, 294, 241),  # kexec, modules, bpf, userfaultfd, perf_event_open
        *(217, 218, 219),  # add_key request_key keyctl
        *(97, 268),  # unshare setns
        *(264, 265),  # name_to_handle_at open_by_handle_at
        33,  # mknodat
        *(180, 186, 190, 194),  # mq_open msgget semget shmget
    }
)

ARCHITECTURES = {
    "x86_64": Architecture(audit=0xC000003E, seccomp=317, capset=126, clone=56, clone3=435, refused=_X86_64 | _NEWER),
    "aarch64": Architecture(audit=0xC00000B7, seccomp=277, capset=91, clone=220, clone3=435, refused=_AARCH64 | _NEWER),
}
