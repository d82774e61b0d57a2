#include <libzoo/simclr/nt_xent.h>

#include <libzoo/core/error.h>
#include <libzoo/dist/gather.h>
#include <libzoo/io/parallel_for.h>
#include <libzoo/nn/first_derivative.h>
#include <libzoo/simclr/kernels/contrast.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace zoo::simclr {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kTiny = 1e-8;
constexpr int64_t kBlock = 16;  // rows that a thread takes at a time

at::Tensor entropy_of(const at::Tensor& probabilities) { return (probabilities * (probabilities + kTiny).log()).sum(1).neg().mean(); }

// The loss and its gradients with respect to rows and columns, a chunk of rows at a time: what a chunk's logits are needed for is
// done while they exist, so that nothing of the size of all logits is kept.
struct Pass {
  const at::Tensor &view1, &view2, &all1, &all2;
  int64_t first_pair;
  const NtXentOptions& options;
  const at::Tensor& negatives;  // undefined: none
  bool wants_gradients;

  at::Tensor loss, accuracy, entropy;
  at::Tensor grad1, grad2, grad_all1, grad_all2;

  void run() {
    const auto zero = at::zeros({}, view1.options());
    loss = accuracy = entropy = zero;
    if (wants_gradients) {
      grad1 = at::empty_like(view1);
      grad2 = at::empty_like(view2);
      grad_all1 = at::zeros_like(all1);
      grad_all2 = at::zeros_like(all2);
    }
    const int64_t n = view1.size(0);
    const int64_t row_bytes = (2 * all1.size(0) + more()) * int64_t(view1.element_size());
    const int64_t rows = std::clamp<int64_t>(options.max_bytes / std::max<int64_t>(row_bytes, 1), 1, n);
    for (int64_t from = 0; from < n; from += rows) {
      const int64_t to = std::min(n, from + rows);
      chunk(view1, all2, all1, from, to, grad1, grad_all2, grad_all1, /*measured=*/true);
      chunk(view2, all1, all2, from, to, grad2, grad_all1, grad_all2, /*measured=*/false);
    }
    accuracy = accuracy / double(n);
    entropy = entropy / double(n);
  }

  int64_t more() const { return negatives.defined() ? negatives.size(0) : 0; }

  // Rows [from, to) of one view: their partners are in `others`, the rows themselves in `own`.
  void chunk(const at::Tensor& view, const at::Tensor& others, const at::Tensor& own, int64_t from, int64_t to, at::Tensor& grad,
             at::Tensor& grad_others, at::Tensor& grad_own, bool measured) {
    const int64_t pairs = all1.size(0);
    const double scale = 1 / options.temperature;
    const auto rows = view.slice(0, from, to);
    auto logits = at::empty({to - from, 2 * pairs + more()}, view.options());
    auto cross = logits.slice(1, 0, pairs), same = logits.slice(1, pairs, 2 * pairs), other = logits.slice(1, 2 * pairs);
    if (more() > 0) at::mm_out(other, rows, negatives.t());
    at::mm_out(cross, rows, others.t());
    at::mm_out(same, rows, own.t());
    const double share = (options.reduction == Reduction::sum_of_views ? 1.0 : 0.5) / double(view.size(0));
    if (view.is_cpu()) {
      run_kernel({.width = logits.size(1),
                  .pairs = pairs,
                  .partner = first_pair + from,
                  .scale = scale,
                  .share = wants_gradients ? share : 0,
                  .measured = measured},
                 share, logits);
    } else {
      run_composed(logits, from, to, share, measured);
    }
    if (!wants_gradients) return;
    auto grad_rows = grad.slice(0, from, to);
    at::mm_out(grad_rows, cross, others);
    grad_rows.addmm_(same, own);
    if (more() > 0) grad_rows.addmm_(other, negatives);
    grad_others.addmm_(cross.t(), rows);
    grad_own.addmm_(same.t(), rows);
  }

  void run_kernel(const kernels::ContrastRows& what, double share, at::Tensor& logits) {
    const int64_t rows = logits.size(0), blocks = (rows + kBlock - 1) / kBlock;
    std::vector<kernels::ContrastSums> sums(static_cast<size_t>(blocks));  // added up in order, whatever the threads
    io::parallel_for(0, blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t block = first; block < last; ++block) {
        const int64_t begin = block * kBlock, count = std::min(kBlock, rows - begin);
        if (logits.scalar_type() == at::kFloat)
          kernels::contrast(what, logits.data_ptr<float>(), begin, count, sums[size_t(block)]);
        else
          kernels::contrast(what, logits.data_ptr<double>(), begin, count, sums[size_t(block)]);
      }
    });
    kernels::ContrastSums total;
    for (const auto& sum : sums) total.loss += sum.loss, total.right += sum.right, total.entropy += sum.entropy;
    loss = loss + total.loss * share;
    accuracy = accuracy + total.right;
    entropy = entropy + total.entropy;
  }

  // The same on any device.
  void run_composed(at::Tensor& logits, int64_t from, int64_t to, double share, bool measured) {
    const int64_t pairs = all1.size(0);
    const double scale = 1 / options.temperature;
    auto cross = logits.slice(1, 0, pairs), same = logits.slice(1, pairs, 2 * pairs);
    logits.mul_(scale);
    same.diagonal(first_pair + from).slice(0, 0, to - from).fill_(-std::numeric_limits<double>::infinity());
    const auto partners = cross.diagonal(first_pair + from).slice(0, 0, to - from);

    if (measured) {
      const auto labels = at::arange(first_pair + from, first_pair + to, logits.options().dtype(at::kLong));
      accuracy = accuracy + (cross.argmax(1) == labels).sum();
      entropy = entropy + entropy_of(cross.softmax(1)) * double(to - from);
    }
    const auto right = partners.clone();
    const auto largest = logits.amax(1, /*keepdim=*/true);
    logits.sub_(largest).exp_();
    const auto sums = logits.sum(1, /*keepdim=*/true);
    loss = loss + (sums.log() + largest).squeeze(1).sub(right).sum() * share;
    if (!wants_gradients) return;
    logits.mul_(share * scale / sums);
    partners.sub_(share * scale);
  }
};

struct NtXentFunction : torch::autograd::Function<NtXentFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& view1, const at::Tensor& view2, const at::Tensor& all1,
                               const at::Tensor& all2, int64_t first_pair, const NtXentOptions& options, const std::optional<at::Tensor>& negatives,
                               bool wants_gradients) {
    const auto type = at::promote_types(view1.scalar_type(), at::kFloat);
    const auto v1 = view1.to(type).contiguous(), v2 = view2.to(type).contiguous();
    const auto a1 = all1.to(type).contiguous(), a2 = all2.to(type).contiguous();
    const auto more = negatives ? negatives->detach().to(type).contiguous() : at::Tensor();
    Pass pass{v1, v2, a1, a2, first_pair, options, more, wants_gradients, {}, {}, {}, {}, {}, {}, {}};
    pass.run();
    if (wants_gradients) ctx->save_for_backward({pass.grad1, pass.grad2, pass.grad_all1, pass.grad_all2});
    ctx->saved_data["type"] = int64_t(view1.scalar_type());
    ctx->mark_non_differentiable({pass.accuracy, pass.entropy});
    return {pass.loss, pass.accuracy, pass.entropy};
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    nn::require_first_derivative("nt_xent");
    const auto type = at::ScalarType(ctx->saved_data["type"].toInt());
    variable_list result;
    for (const auto& grad : ctx->get_saved_variables()) result.push_back((grad * gradients[0]).to(type));
    result.resize(8);
    return result;
  }
};

void check(const at::Tensor& view1, const at::Tensor& view2, const NtXentOptions& options) {
  if (!(options.temperature > 0) || options.temperature > 1e30)
    throw UserError(fmt::format("the temperature must be positive and finite, got {}", options.temperature), "0.1 and 0.5 are usual");
  if (view1.sizes() != view2.sizes() || view1.dim() != 2)
    throw UserError(fmt::format("the two views must be [n, features] alike, got [{}] and [{}]", fmt::join(view1.sizes(), ", "),
                                fmt::join(view2.sizes(), ", ")));
  if (view1.numel() == 0) throw UserError("the batch has no pairs");
}

}  // namespace

at::Tensor normalize_rows(const at::Tensor& rows) {
  const auto x = rows.to(at::promote_types(rows.scalar_type(), at::kFloat));
  return x * x.square().sum(1, /*keepdim=*/true).clamp_min(1e-12).rsqrt();
}

NtXent nt_xent_of_rows(const at::Tensor& view1, const at::Tensor& view2, const at::Tensor& all1, const at::Tensor& all2, int64_t first_pair,
                       const NtXentOptions& options, const at::Tensor& negatives) {
  check(view1, view2, options);
  if (negatives.defined() && (negatives.dim() != 2 || negatives.size(1) != view1.size(1)))
    throw Error(fmt::format("negatives must be [m, {}], not [{}]", view1.size(1), fmt::join(negatives.sizes(), ", ")));
  check(all1, all2, options);
  if (first_pair < 0 || first_pair + view1.size(0) > all1.size(0) || view1.size(1) != all1.size(1))
    throw Error(fmt::format("pairs {} to {} are no part of a batch of {}", first_pair, first_pair + view1.size(0), all1.size(0)));
  const bool wants =
      at::GradMode::is_enabled() && (view1.requires_grad() || view2.requires_grad() || all1.requires_grad() || all2.requires_grad());
  const auto results = NtXentFunction::apply(view1, view2, all1, all2, first_pair, options,
                                             negatives.defined() ? std::optional(negatives) : std::nullopt, wants);
  return {results[0], results[1], results[2]};
}

NtXent nt_xent(const at::Tensor& view1, const at::Tensor& view2, const NtXentOptions& options, const dist::Group* group,
               const at::Tensor& negatives) {
  check(view1, view2, options);
  const auto z1 = options.normalize ? normalize_rows(view1) : view1, z2 = options.normalize ? normalize_rows(view2) : view2;
  const auto all1 = dist::gather_rows(z1, group), all2 = dist::gather_rows(z2, group);
  NtXent result = nt_xent_of_rows(z1, z2, all1, all2, group ? group->rank() * z1.size(0) : 0, options, negatives);
  // On a GPU that would wait for the device at every step; there train::Run notices.
  if (result.value.is_cpu() && !result.value.isfinite().item<bool>())
    throw UserError("the contrastive loss is not finite", "the features hold NaN or infinite values, or the rate is too high");
  return result;
}

at::Tensor cross_view_logits(const at::Tensor& view1, const at::Tensor& view2, const NtXentOptions& options) {
  check(view1, view2, options);
  const auto z1 = options.normalize ? normalize_rows(view1) : view1, z2 = options.normalize ? normalize_rows(view2) : view2;
  return z1.mm(z2.t()) / options.temperature;
}

ContrastiveMetrics contrastive_metrics(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.dim() != 2 || labels.dim() != 1 || labels.size(0) != logits.size(0) || logits.numel() == 0)
    throw UserError(fmt::format("logits must be [n, candidates] and labels [n], got [{}] and [{}]", fmt::join(logits.sizes(), ", "),
                                fmt::join(labels.sizes(), ", ")));
  const auto right = logits.gather(1, labels.unsqueeze(1));
  const auto type = logits.scalar_type();
  return {(logits.argmax(1) == labels).to(type).mean(), ((logits > right).sum(1) < 5).to(type).mean(), entropy_of(logits.softmax(1))};
}

}  // namespace zoo::simclr
