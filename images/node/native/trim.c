/* Half of what Node.js takes are pages of its program that only its start read: the heap's
 * snapshot, the code that unpacks it. They stay mapped, so that the kernel keeps them; taken
 * out, the few that are used again are mapped again from its cache, in less than a
 * millisecond together, and the others are free to go.
 */
#define _GNU_SOURCE
#include "trim.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whether a program's code was changed when it was loaded: dropped, it would be as in its file. */
static bool relocated(const struct dl_phdr_info *program) {
    for (int i = 0; i < program->dlpi_phnum; i += 1) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type != PT_DYNAMIC) continue;
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(program->dlpi_addr + part->p_vaddr);
        for (; entry->d_tag != DT_NULL; entry += 1) {
            if (entry->d_tag == DT_TEXTREL) return true;
            if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)) return true;
        }
    }
    return false;
}

/* Called under the loader's lock: nothing is loaded meanwhile. */
static int drop(struct dl_phdr_info *program, size_t size, void *unused) {
    (void)size;
    (void)unused;
    if (relocated(program)) return 0;
    ElfW(Addr) page = (ElfW(Addr))sysconf(_SC_PAGESIZE);
    for (int i = 0; i < program->dlpi_phnum; i += 1) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
        /* Whole pages: the last may be the next part's too. */
        ElfW(Addr) start = (program->dlpi_addr + part->p_vaddr) & ~(page - 1);
        ElfW(Addr) end = (program->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void trim(void) {
    dl_iterate_phdr(drop, NULL);
}
