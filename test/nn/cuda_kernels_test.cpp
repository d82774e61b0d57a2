// The CUDA kernels of this room, run on the CPU (test/cuda_emulation.h) and held against their definitions in float64.
#include "test/cuda_emulation.h"
#include "test/nn/gradients.h"

#include <libzoo/nn/kernels/group_norm.cu>
#include <libzoo/nn/kernels/standardize.cu>

using namespace zoo;
using namespace zoo::test;

namespace {

at::Tensor composed_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, int64_t groups, double eps, bool relu) {
  const auto y = at::group_norm(x, groups, gamma, beta, eps);
  return relu ? y.relu() : y;
}

struct Normal {
  at::Tensor y, again, grad_x, grad_gamma, grad_beta;
};

template <class T>
Normal run_group_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, const at::Tensor& grad, const at::Tensor& skip,
                      int64_t groups, double eps, bool relu) {
  const auto last = !x.is_contiguous();
  const nn::kernels::CudaImages images{{x.size(1), groups, x.size(2) * x.size(3), eps, relu}, x.size(0), last};
  const auto doubles = [](std::vector<int64_t> sizes) { return at::full(sizes, 1e30, at::kDouble); };
  const at::Tensor mean = doubles({x.size(0), groups}), rstd = doubles({x.size(0), groups}), slope = doubles({x.size(0), groups, 2}),
                   scratch = doubles({nn::kernels::group_norm_cuda_scratch(images)}), per_image_gamma = doubles({x.size(0), x.size(1)}),
                   per_image_beta = doubles({x.size(0), x.size(1)});
  Normal result{at::empty_like(x), at::empty_like(x), at::empty_like(x), {}, {}};
  for (const bool again : {false, true})
    nn::kernels::group_norm_cuda_forward<T>(
        images,
        {x.data_ptr<T>(), gamma.data_ptr<float>(), beta.data_ptr<float>(), mean.data_ptr<double>(), rstd.data_ptr<double>(),
         (again ? result.again : result.y).template data_ptr<T>(), scratch.data_ptr<double>(), again},
        nullptr);
  nn::kernels::group_norm_cuda_backward<T>(
      images,
      {grad.data_ptr<T>(), x.data_ptr<T>(), skip.defined() ? skip.data_ptr<T>() : nullptr, gamma.data_ptr<float>(), beta.data_ptr<float>(),
       mean.data_ptr<double>(), rstd.data_ptr<double>(), result.grad_x.data_ptr<T>(), per_image_gamma.data_ptr<double>(),
       per_image_beta.data_ptr<double>(), slope.data_ptr<double>(), scratch.data_ptr<double>()},
      nullptr);
  result.grad_gamma = per_image_gamma.sum(0), result.grad_beta = per_image_beta.sum(0);
  return result;
}

struct Sizes {
  std::vector<int64_t> x;
  int64_t groups;
};

}  // namespace

TEST_CASE("group norm's CUDA kernels agree with their definition, values and gradients", "[nn]") {
  // Packs and no packs, several chunks of pixels, several tiles of channels, more groups than a pack has channels.
  const auto sizes = GENERATE(Sizes{{2, 16, 5, 7}, 8}, Sizes{{1, 24, 1, 1}, 4}, Sizes{{2, 6, 9, 3}, 3}, Sizes{{1, 272, 4, 6}, 16},
                              Sizes{{1, 8, 20, 32}, 2}, Sizes{{1, 2, 128, 96}, 1});
  const bool relu = GENERATE(true, false), last = GENERATE(false, true);
  at::manual_seed(1);
  const auto layout = last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const auto random = [&](const std::vector<int64_t>& s) { return at::randn(s).contiguous(layout); };
  const auto x = (random(sizes.x) * 3 + 1), grad = random(sizes.x), skip = random(sizes.x), gamma = at::randn({sizes.x[1]}),
             beta = at::randn({sizes.x[1]});
  const auto check = [&](auto type, double tolerance) {
    using T = decltype(type);
    const auto kind = c10::CppTypeToScalarType<T>::value;
    const at::Tensor given = x.to(kind), above = grad.to(kind), more = skip.to(kind);
    const Normal found = run_group_norm<T>(given, gamma, beta, above, more, sizes.groups, 1e-5, relu);
    const Tensors inputs = {given.to(at::kDouble), gamma.to(at::kDouble), beta.to(at::kDouble)};
    const auto expected = composed_norm(inputs[0], inputs[1], inputs[2], sizes.groups, 1e-5, relu);
    const auto expected_gradients = gradients([&](const Tensors& t) { return composed_norm(t[0], t[1], t[2], sizes.groups, 1e-5, relu); },
                                              inputs, above.to(at::kDouble));
    const auto is_close = [&](const at::Tensor& a, const at::Tensor& b, double within) {
      CHECK(largest_difference(a, b) < within * (1 + b.abs().max().item<double>()));
    };
    is_close(found.y, expected, tolerance);
    CHECK(found.again.equal(found.y));
    is_close(found.grad_x, expected_gradients[0] + more.to(at::kDouble), tolerance);
    is_close(found.grad_gamma, expected_gradients[1], 2e-6);
    is_close(found.grad_beta, expected_gradients[2], 2e-6);
  };
  check(float(), 2e-6);
  if (relu) {
    check(at::BFloat16(), 4e-3);
    check(at::Half(), 6e-4);
  }
}

TEST_CASE("a large mean costs group norm's CUDA kernels no digits, an outlier in the first place neither", "[nn]") {
  const bool last = GENERATE(false, true);
  auto x = (at::randint(0, 8, {1, 8, 16, 16}) + 1048576.0).to(at::kFloat);
  x[0][0][0][0] = 0;
  if (last) x = channels_last(x);
  const auto gamma = at::ones({8}), beta = at::zeros({8});
  const auto found = run_group_norm<float>(x, gamma, beta, x, {}, 4, 1e-5, false);
  // Of NCHW memory: ATen takes the variance of channels-last memory in one pass, even in float64 not exactly enough for this.
  const auto expected = composed_norm(x.to(at::kDouble).contiguous(), gamma.to(at::kDouble), beta.to(at::kDouble), 4, 1e-5, false);
  CHECK(largest_difference(found.y.slice(1, 2), expected.slice(1, 2)) < 1e-6);
  CHECK(largest_difference(found.y.slice(1, 0, 2), expected.slice(1, 0, 2)) < 3e-5);
}

TEST_CASE("equal values give beta on CUDA, and not-a-number comes through", "[nn]") {
  const bool last = GENERATE(false, true);
  auto x = at::full({1, 8, 6, 4}, 0.1f) + 1000;
  x[0][7][5][3] = std::numeric_limits<float>::quiet_NaN();
  if (last) x = channels_last(x);
  const auto gamma = at::randn({8}), beta = at::randn({8});
  const auto y = run_group_norm<float>(x, gamma, beta, x, {}, 4, 1e-5, false).y;
  CHECK(y.slice(1, 0, 6).equal(beta.slice(0, 0, 6).view({1, 6, 1, 1}).expand({1, 6, 6, 4})));
  CHECK(y.slice(1, 6).isnan().all().item<bool>());
}

TEST_CASE("the CUDA kernels of weight standardisation agree with their definition", "[nn]") {
  const bool outside = GENERATE(false, true);
  const double eps = GENERATE(1e-10, 1e-2);
  const std::vector<int64_t> sizes = GENERATE(std::vector<int64_t>{3, 3, 7, 7}, std::vector<int64_t>{2, 160, 3, 3},
                                              std::vector<int64_t>{4, 1, 1, 1}, std::vector<int64_t>{5, 16, 1, 1});
  const auto definition = [&](const at::Tensor& weight) {
    const auto filters = weight.flatten(1), centred = filters - filters.mean(1, true), variance = centred.square().mean(1, true);
    return (outside ? centred / (variance.sqrt() + eps) : centred / (variance + eps).sqrt()).view(weight.sizes());
  };
  const auto weight = at::randn(sizes) * 0.03 + 5, grad = at::randn(sizes);
  const nn::kernels::CudaFilters filters{sizes[0], weight.numel() / sizes[0], eps, outside};
  const auto check = [&](auto type, double tolerance) {
    using T = decltype(type);
    const at::Tensor above = grad.to(c10::CppTypeToScalarType<T>::value), result = at::empty_like(above), grad_weight = at::empty(sizes),
                     kept = at::empty({3, sizes[0]}, at::kDouble);
    const nn::kernels::CudaMoments moments{kept[0].data_ptr<double>(), kept[1].data_ptr<double>(), kept[2].data_ptr<double>()};
    nn::kernels::standardize_cuda<T>(filters, weight.data_ptr<float>(), result.data_ptr<T>(), moments, nullptr);
    nn::kernels::standardize_cuda_backward<T>(filters, above.data_ptr<T>(), weight.data_ptr<float>(), moments,
                                              grad_weight.data_ptr<float>(), nullptr);
    CHECK(largest_difference(result, definition(weight.to(at::kDouble))) < tolerance);
    if (filters.count == 1) return;  // the definition has no derivative there
    const at::Tensor expected =
        gradients([&](const Tensors& t) { return definition(t[0]); }, {weight.to(at::kDouble)}, above.to(at::kDouble))[0];
    CHECK(largest_difference(grad_weight, expected) < 3e-6 * expected.abs().max().item<double>());
  };
  check(float(), 3e-6);
  check(at::BFloat16(), 2e-2);
  check(at::Half(), 3e-3);
}

TEST_CASE("a filter of equal values becomes exact zeros on CUDA", "[nn]") {
  const auto weight = at::full({2, 300}, 0.1f), kept = at::empty({3, 2}, at::kDouble);
  const auto result = at::ones_like(weight);
  nn::kernels::standardize_cuda<float>({2, 300, 1e-10, false}, weight.data_ptr<float>(), result.data_ptr<float>(),
                                       {kept[0].data_ptr<double>(), kept[1].data_ptr<double>(), kept[2].data_ptr<double>()}, nullptr);
  CHECK(result.equal(at::zeros_like(weight)));
}
