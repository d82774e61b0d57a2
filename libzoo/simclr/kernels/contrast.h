// The loops of NT-Xent over rows of similarities, each read and written once while it lies in the cache: what remains beside it
// are matrix products.
#pragma once

#include <cstdint>

namespace zoo::simclr::kernels {

struct ContrastRows {
  int64_t width = 0;      // of a row: similarities with the partners' view, with the own view, with further negatives
  int64_t pairs = 0;      // in each of the two views
  int64_t partner = 0;    // of the first row, in both views; the next row's is the next
  double scale = 1;       // 1 / temperature
  double share = 0;       // of a row in the loss; the gradient is left in place of the similarities unless it is 0
  bool measured = false;  // whether accuracy and entropy are wanted
};

struct ContrastSums {
  double loss = 0;     // Σ log Σ exp - partner
  double right = 0;    // rows whose partner is the largest of its view, the first one on ties
  double entropy = 0;  // Σ over rows of -Σ p·log(p + 1e-8), p the softmax over the partners' view
};

// rows [count, width]: dot products, replaced by the gradient share · scale · (softmax - 1 at the partner), 0 at the row itself. Adds
// to the sums. A row that holds NaN makes the loss NaN.
void contrast(const ContrastRows& what, float* rows, int64_t first, int64_t count, ContrastSums& sums);
void contrast(const ContrastRows& what, double* rows, int64_t first, int64_t count, ContrastSums& sums);

}  // namespace zoo::simclr::kernels
