// NT-Xent, the contrastive loss of SimCLR (Chen et al. 2020, arXiv 2002.05709), as google-research/simclr computes it: every view is
// told from all other views of the batch, its partner being the right answer.
//
//   const auto loss = zoo::simclr::nt_xent(z1, z2, {.temperature = 0.1});
//   loss.value.backward();
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/dist/group.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace zoo::simclr {

// The mean over first views plus the mean over second views, as the released code has it; or the mean over all views, as the
// paper writes it: half of that.
enum class Reduction { sum_of_views, mean_2n };
constexpr auto enum_names(Reduction) {
  return EnumNames<Reduction, 2>{{{Reduction::sum_of_views, "sum_of_views"}, {Reduction::mean_2n, "mean_2n"}}};
}

struct NtXentOptions {
  double temperature = 0.1;
  bool normalize = true;      // rows to length 1
  Reduction reduction = Reduction::sum_of_views;
  int64_t max_bytes = 64 << 20;  // of logits that exist at a time; rows are taken in chunks that fit
};

template <class Field>
void fields(Field& field, NtXentOptions& o) {
  field("temperature", o.temperature, "by which similarities are divided", positive());
  field("normalize", o.normalize, "features to length 1 before they are compared");
  field("reduction", o.reduction, "sum_of_views: mean over first views plus mean over second views, as released; mean_2n: half of that");
  field("max_bytes", o.max_bytes, "of similarities that exist at a time; rows are taken in chunks that fit", at_least(1));
}

struct NtXent {
  at::Tensor value;      // the loss, a scalar
  // How well partners are told apart among the second views alone; no gradient.
  at::Tensor accuracy;   // share of first views whose partner is the most similar
  at::Tensor entropy;    // mean of -Σ p·log(p + 1e-8), p the softmax over the second views
};

// view1, view2 [n, features]: the two views of each picture. Logits and sums are float32 at least, whatever the type. One pair has
// no negatives: loss 0. Throws UserError if the temperature is not positive, the batch empty, the shapes differ, or a value is not
// finite. The operator has its own backward, without a second derivative: create_graph throws Error.
// With a group, the batch is that of all ranks, each with as many pairs: the value is the mean over the rows of this rank, its
// gradients, averaged over the ranks, those of the mean over all rows. `negatives` [m, features], of which no gradient is taken, are told
// apart from every row too.
NtXent nt_xent(const at::Tensor& view1, const at::Tensor& view2, const NtXentOptions& options = {}, const dist::Group* group = nullptr,
               const at::Tensor& negatives = {});

// The same for some rows of a larger batch: view1, view2 [n, features] are its pairs first_pair … first_pair + n - 1, all1 and all2
// [pairs, features] all of them, on all ranks. Rows must have been normalised. The gradients reach all four, but not the negatives.
NtXent nt_xent_of_rows(const at::Tensor& view1, const at::Tensor& view2, const at::Tensor& all1, const at::Tensor& all2, int64_t first_pair,
                       const NtXentOptions& options, const at::Tensor& negatives = {});

// Rows to length 1, by rsqrt(max(Σ x², 1e-12)): rows of zeros stay zeros.
at::Tensor normalize_rows(const at::Tensor& rows);

// [n, n]: similarities of first views (rows) with second views, divided by the temperature.
at::Tensor cross_view_logits(const at::Tensor& view1, const at::Tensor& view2, const NtXentOptions& options);

struct ContrastiveMetrics {
  at::Tensor accuracy, top5_accuracy, entropy;  // scalars
};
// logits [n, candidates], labels [n]: the right candidates. Ties go to the lower index; a label is among the top five if fewer than
// five logits are larger.
ContrastiveMetrics contrastive_metrics(const at::Tensor& logits, const at::Tensor& labels);

}  // namespace zoo::simclr
