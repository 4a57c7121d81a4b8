#!/bin/sh
# Writes C that carries files inside the program.
#   embed.sh NAME FILE             const unsigned char NAME[]; const size_t NAME_size;
#   embed.sh --table NAME FILE...  const struct embedded NAME[] (base/embedded.h), ended by a NULL path
set -eu

bytes() { # SYMBOL FILE: the assembler takes the bytes in; a NUL is put behind them
    printf '__asm__(".section .rodata\\n.balign 16\\n%s:\\n.incbin \\"%s\\"\\n%s_end:\\n.byte 0\\n.previous\\n");\n' "$1" "$2" "$1"
    printf 'extern const unsigned char %s[] __attribute__((visibility("hidden"))), %s_end[] __attribute__((visibility("hidden")));\n' "$1" "$1"
}

if [ "$1" = --table ]; then
    name=$2; shift 2
    printf '#include "base/embedded.h"\n'
    i=0
    for f in "$@"; do bytes "${name}_file$i" "$f"; i=$((i + 1)); done
    printf 'const struct embedded %s[] = {\n' "$name"
    i=0
    for f in "$@"; do
        printf '    {"%s", (const char *)%s_file%d, %s_file%d_end},\n' "$f" "$name" $i "$name" $i
        i=$((i + 1))
    done
    printf '    {0, 0, 0}};\n'
else
    printf '#include "base/embedded.h"\n'
    bytes "$1_bytes" "$2"
    printf 'const struct embedded %s = {"%s", (const char *)%s_bytes, %s_bytes_end};\n' "$1" "$1" "$1" "$1"
fi
