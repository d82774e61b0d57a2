// Memory of large tensors on the CPU, used again. A training step asks for the same sizes in every step: malloc gives large pieces
// back to the system and takes page faults for new ones, or keeps them and is left with gaps that no tensor fits into. Here a piece
// that is freed waits for the next tensor of its size.
//
//   zoo::nn::use_caching_cpu_allocator();  // first thing in a program
#pragma once

#include <cstdint>

namespace zoo::nn {

// From now on tensors of 64 KiB and more get such memory, in sizes rounded up by at most an eighth. Pieces that wait are given back
// when new memory is needed and more waits than is in use, so the process holds at most twice what it needs. The second call does
// nothing. Thread-safe.
void use_caching_cpu_allocator();

struct CpuMemory {
  int64_t used = 0, waiting = 0;  // bytes of large pieces
};
CpuMemory cpu_memory();

}  // namespace zoo::nn
