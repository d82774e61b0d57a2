// Binds the reference cases bit.* to the public API. One entry per op; no tolerance lives here.
#include "test/reference/case.h"
#include "test/reference/hash_fill.h"

#include <libzoo/bit/bit.h>
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/data/eval_transform.h>
#include <libzoo/data/train_transform.h>
#include <libzoo/eval/accuracy.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/tensor.h>
#include <libzoo/nn/nn.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>

#include <algorithm>
#include <cmath>

namespace zoo::reference {
namespace {

// Options and inputs as the API wants them.

nn::ResNetV2Options architecture(const Case& c, int64_t num_classes) {
  return {.units = c.integers("units"), .width = c.number("width"), .num_classes = num_classes, .in_channels = c.integer("in_chans", 3)};
}
nn::ResNetV2Options architecture(const Case& c) { return architecture(c, c.integer("num_classes")); }

template <class E>
E choice(const std::string& text) {
  for (const auto& entry : enum_names(E{}).entries)
    if (text == entry.name) return entry.value;
  throw BindingError("unknown choice " + text);
}

at::Tensor leaf(const at::Tensor& input) { return input.clone().requires_grad_(); }
std::vector<int64_t> integers(const at::Tensor& t) { return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()}; }
std::vector<double> doubles(const at::Tensor& t) { return {t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel()}; }
at::Tensor table(const std::vector<double>& values, int64_t columns) { return at::tensor(values, at::kDouble).view({-1, columns}); }
at::Tensor table(const std::vector<int64_t>& values, int64_t columns) { return at::tensor(values, at::kLong).view({-1, columns}); }

double length(const at::Tensor& t) { return t.detach().to(at::kDouble).norm().item<double>(); }

// f(parameter) for each parameter in the order of the official names.
template <class F>
std::vector<double> by_official_name(const nn::ResNetV2& model, F f) {
  const auto parameters = model->named_parameters();
  std::vector<double> values;
  for (const auto& parameter : bit::parameter_table(model->options)) values.push_back(f(parameters[parameter.name(bit::Naming::ours)]));
  return values;
}

double grad_norm(const nn::ResNetV2& model, bool with_head) {
  double squares = 0;
  for (const auto& entry : model->named_parameters())
    if (with_head || !entry.key().starts_with("head.conv.")) squares += std::pow(length(entry.value().grad()), 2);
  return std::sqrt(squares);
}

void load(torch::nn::Module& module, const std::map<std::string, at::Tensor>& weights) {
  const at::NoGradGuard no_grad;
  for (auto& entry : module.named_parameters()) entry.value().copy_(weights.at(entry.key()));
}

// Layers.

void hash_fill(Case& c) {
  const auto v = hash_values(c.integer("k"), c.integer("start"), c.integer("count"));
  c.expect("v", v);
  c.expect("value", (v * c.number("scale") + c.number("offset")).to(at::kFloat));
}

void std_conv2d(Case& c) {
  const auto weight = leaf(c.input("weight")), x = leaf(c.input("x"));
  const auto mode = c.text("eps_mode", "inside") == "inside" ? nn::EpsMode::inside : nn::EpsMode::outside;
  const auto standardized = nn::standardize_weight(weight, c.number("eps"), mode);
  nn::StdConv2d conv(nn::StdConv2dOptions{.in_channels = weight.size(1),
                                          .out_channels = weight.size(0),
                                          .kernel = weight.size(2),
                                          .stride = c.integer("stride"),
                                          .padding = c.integer("padding"),
                                          .eps = c.number("eps"),
                                          .eps_mode = mode});
  load(*conv, {{"weight", weight}});
  const auto y = conv->forward(x);
  c.expect("weight_std", standardized);
  c.expect("y", y);
  if (!c.has_input("grad_y")) return;
  y.backward(c.input("grad_y"));
  c.expect("grad_weight", conv->weight.grad());
  c.expect("grad_x", x.grad());
}

void group_norm_relu(Case& c) {
  const auto x = leaf(c.input("x")), gamma = leaf(c.input("gamma")), beta = leaf(c.input("beta"));
  const auto y = nn::group_norm_relu(x, gamma, beta, c.integer("groups"), c.number("eps"), c.flag("relu"));
  c.expect("y", y);
  if (!c.has_input("grad_y")) return;
  y.backward(c.input("grad_y"));
  c.expect("grad_x", x.grad());
  c.expect("grad_gamma", gamma.grad());
  c.expect("grad_beta", beta.grad());
}

void stem(Case& c) {
  const auto root = c.weights().at("root.conv.weight");
  nn::ResNetV2 model(nn::ResNetV2Options{.units = {1}, .width = double(root.size(0)) / 64, .num_classes = 0, .in_channels = root.size(1)});
  {
    const at::NoGradGuard no_grad;
    model->named_parameters()["root.conv.weight"].copy_(root);
  }
  c.expect("y", model->stem(c.input("x")));
}

void preact_unit(Case& c) {
  nn::PreActUnit unit(nn::PreActUnitOptions{
      .in_channels = c.integer("cin"), .mid_channels = c.integer("mid"), .out_channels = c.integer("cout"), .stride = c.integer("stride")});
  load(*unit, c.weights());
  const auto x = leaf(c.input("x"));
  const auto y = unit->forward(x);
  c.expect("y", y);
  if (!c.has_input("grad_y")) return;
  y.backward(c.input("grad_y"));
  c.expect("grad_x", x.grad());
}

// Networks.

void forward(Case& c) {
  const at::NoGradGuard no_grad;
  auto model = hash_model(architecture(c));
  const auto x = c.input("x");
  std::vector<int64_t> shapes;
  std::vector<double> stats;
  for (const auto& stage : model->stages(x)) {
    shapes.insert(shapes.end(), stage.sizes().begin(), stage.sizes().end());
    const auto values = stage.to(at::kDouble);
    stats.insert(stats.end(),
                 {values.mean().item<double>(), values.std(/*unbiased=*/false).item<double>(), values.abs().max().item<double>()});
  }
  c.expect("stage_shapes", table(shapes, 4));
  c.expect("stage_stats", table(stats, 3));
  c.expect("features", model->features(x));
  c.expect("logits", model->forward(x));
}

void loss_and_grads(Case& c) {
  auto model = hash_model(architecture(c));
  const auto logits = model->forward(c.input("x"));
  const auto loss = at::cross_entropy_loss(logits, c.input("labels"));
  loss.backward();
  const auto parameters = model->named_parameters();
  c.expect("loss", loss.item<double>());
  c.expect("logits", logits);
  c.expect("grad_norms", by_official_name(model, [](const at::Tensor& p) { return length(p.grad()); }));
  c.expect("global_grad_norm", grad_norm(model, true));
  c.expect("grad_head_bias", parameters["head.conv.bias"].grad());
  c.expect("grad_final_gamma", parameters["head.gn.weight"].grad());
}

void train_steps(Case& c) {
  auto model = hash_model(architecture(c));
  if (c.flag("zero_head")) model = bit::with_zero_head(model, c.integer("num_classes"));
  optim::Sgd sgd(model->named_parameters(), {.momentum = c.number("momentum")});
  const auto x = c.input("x"), labels = c.input("labels"), perm = c.input("perm");
  const auto rates = doubles(c.input("lr")), lambdas = doubles(c.input("mixup_lambda"));
  const int64_t split = c.integer("batch_split"), micro = x.size(0) / split;
  std::vector<double> losses, norms, body_norms;
  for (size_t step = 0; step < rates.size(); ++step) {
    sgd.zero_grad();
    double mean = 0;
    for (int64_t j = 0; j < split; ++j) {
      const auto rows = x.narrow(0, j * micro, micro), own = labels.narrow(0, j * micro, micro), partners = perm[int64_t(step)][j];
      const auto logits = model->forward(bit::mix(rows, partners, lambdas[step]));
      const auto loss = bit::mixed_cross_entropy(logits, own, own.index_select(0, partners), lambdas[step]) / double(split);
      loss.backward();
      mean += loss.item<double>();
    }
    losses.push_back(mean);
    norms.push_back(grad_norm(model, true));
    body_norms.push_back(grad_norm(model, false));
    sgd.step(rates[step]);
  }
  c.expect("loss", losses);
  c.expect("grad_norm", norms);
  c.expect("body_grad_norm", body_norms);
  c.expect("head_bias", model->named_parameters()["head.conv.bias"].detach());
  c.expect("param_norms", by_official_name(model, [](const at::Tensor& p) { return length(p); }));
}

void replace_head(Case& c) {
  auto model = bit::with_zero_head(hash_model(architecture(c, c.integer("old_classes"))), c.integer("num_classes"));
  const auto logits = model->forward(c.input("x"));
  const auto loss = at::cross_entropy_loss(logits, c.input("labels"));
  loss.backward();
  double body = 0;
  for (const auto& entry : model->named_parameters())
    if (!entry.key().starts_with("head.conv.")) body = std::max(body, entry.value().grad().abs().max().item<double>());
  const auto parameters = model->named_parameters();
  c.expect("logits", logits);
  c.expect("loss", loss.item<double>());
  c.expect("grad_head_bias", parameters["head.conv.bias"].grad());
  c.expect("grad_head_kernel", parameters["head.conv.weight"].grad().flatten(1));
  c.expect("body_grad_max", body);
}

void sgd_momentum(Case& c) {
  auto parameter = leaf(c.input("param"));
  torch::OrderedDict<std::string, at::Tensor> parameters;
  parameters.insert("param", parameter);
  optim::Sgd sgd(parameters, {.momentum = c.number("momentum"), .weight_decay = c.number("weight_decay")});
  const auto gradients = c.input("grad");
  const auto rates = doubles(c.input("lr"));
  std::vector<at::Tensor> after;
  for (size_t step = 0; step < rates.size(); ++step) {
    parameter.mutable_grad() = gradients[int64_t(step)].clone();
    sgd.step(rates[step]);
    after.push_back(parameter.detach().clone());
  }
  c.expect("param", at::stack(after));
}

// Names and files.

void param_names(Case& c) {
  const auto options = bit::find_model(c.text("arch")).options(c.integer("num_classes"));
  const auto parameters = bit::parameter_table(options);
  const auto joined = [&](bit::Naming naming) {
    std::string text;
    for (const auto& parameter : parameters) text += (text.empty() ? "" : "\n") + parameter.name(naming);
    return text;
  };
  c.expect("npz_names", joined(bit::Naming::official));
  c.expect("torch_names", joined(bit::Naming::ours));
  c.expect("timm_names", joined(bit::Naming::timm));
  c.expect("hf_names", joined(bit::Naming::hf));
  std::vector<int64_t> shapes;
  for (const auto& parameter : parameters) {
    auto shape = parameter.shape_in(bit::Naming::official);
    shape.resize(4, -1);
    shapes.insert(shapes.end(), shape.begin(), shape.end());
  }
  c.expect("npz_shapes", table(shapes, 4));
  c.expect("param_count", bit::parameter_count(options));
}

void expect_arrays(Case& c, const Arrays& arrays) {
  for (const auto& [name, array] : arrays) {
    const bool half = array.dtype() == DType::f16 || array.dtype() == DType::bf16;
    if (half)
      c.expect(name, io::to_tensor(array).to(at::kFloat));
    else
      c.expect(name, array);
  }
}

void npz_load(Case& c) { expect_arrays(c, io::read_npz(io::map_file(c.file("file")), c.text("file"))); }

void pth_load(Case& c) {
  const io::PthOptions options{.key = c.text("key", ""), .strip_prefix = c.text("strip_prefix", "")};
  expect_arrays(c, io::read_pth(io::map_file(c.file("file")), c.text("file"), options).tensors);
}

void load_checkpoint(Case& c) {
  const at::NoGradGuard no_grad;
  auto loaded = bit::load_checkpoint(
      c.file("file"),
      {.num_classes = c.integer("num_classes"), .head = choice<bit::Head>(c.text("head")), .in_channels = c.integer("in_chans")});
  const auto wanted = architecture(c);
  if (loaded.architecture.units != wanted.units || loaded.architecture.width != wanted.width) throw Error("the file holds another network");
  c.expect("logits", loaded.model->forward(c.input("x")));
  c.expect("head_loaded", loaded.head_loaded);
}

void adapt_input_conv(Case& c) { c.expect("weight", bit::adapt_input_conv(c.input("weight"), c.integer("in_chans"))); }

// Pictures.

io::Image picture(const Case& c) {
  const Array& array = c.array("image");
  const auto pixels = array.span<uint8_t>();
  return {.height = array.shape().at(0),
          .width = array.shape().at(1),
          .channels = array.shape().at(2),
          .pixels = {pixels.begin(), pixels.end()}};
}

Array as_array(const io::Image& image) { return Array::of<uint8_t>({image.height, image.width, image.channels}, image.pixels); }

void eval_transforms(Case& c) {
  const data::EvalTransform eval{.mode = data::parse_eval_mode(c.text("mode")),
                                 .size = c.integer("size"),
                                 .interpolation = data::parse_interpolation(c.text("interpolation")),
                                 .crop_pct = c.number("crop_pct")};
  const auto image = picture(c);
  auto out = at::empty({image.channels, eval.size, eval.size}, at::kFloat);
  eval.chw(image, out.mutable_data_ptr<float>());
  if (eval.mode != data::EvalMode::tf) c.expect("resized", as_array(eval.resized(image)));
  c.expect("image", out);
}

void train_transforms(Case& c) {
  const data::TrainTransform train{
      .mode = data::parse_train_mode(c.text("mode")), .precrop = c.integer("precrop", 160), .crop = c.integer("crop")};
  data::TrainTransform::Choice choice{.flip = c.flag("flip")};
  if (c.has("box")) {
    const auto box = c.integers("box");
    choice.box = {.top = box.at(0), .left = box.at(1), .height = box.at(2), .width = box.at(3)};
  } else {
    choice.box = {.top = c.integer("top"), .left = c.integer("left"), .height = train.crop, .width = train.crop};
  }
  const auto image = picture(c);
  auto out = at::empty({image.channels, train.crop, train.crop}, at::kFloat);
  train.chw(image, choice, out.mutable_data_ptr<float>());
  c.expect("image", out);
}

// Rules, losses, protocols.

void hyperrule(Case& c) {
  const auto rule = bit::hyper_rule({c.integer("dataset_size"), c.integer("height"), c.integer("width")},
                                    {.schedule = choice<bit::Schedule>(c.text("schedule")),
                                     .resolution = choice<bit::Resolution>(c.text("resolution")),
                                     .large_model = c.flag("large_model"),
                                     .base_rate = c.number("base_lr")});
  const auto steps = integers(c.input("steps"));
  std::vector<double> rates;
  Array done(DType::boolean, {int64_t(steps.size())});
  for (size_t i = 0; i < steps.size(); ++i) {
    done.mutable_span<bool>()[i] = rule.done(steps[i]);
    rates.push_back(rule.done(steps[i]) ? 0 : rule.learning_rate(steps[i]));
  }
  c.expect("lr", rates);
  c.expect("done", done);
  c.expect("supports", rule.supports());
  c.expect("total_steps", rule.total_steps);
  c.expect("mixup_alpha", rule.mixup_alpha);
  c.expect("precrop_crop", std::vector<int64_t>{rule.resize, rule.crop});
}

void pretrain_lr(Case& c) {
  const double peak = c.number("base_lr_per_256") * c.number("batch") / 256;
  const int64_t per_epoch = c.integer("steps_per_epoch");
  const optim::ScheduleOptions schedule{.warmup_steps = c.integer("warmup_steps"), .total_steps = per_epoch * c.integer("epochs")};
  std::vector<double> drops, rates;
  for (double epoch : c.numbers("drop_epochs")) drops.push_back(epoch * double(per_epoch));
  for (int64_t step : integers(c.input("steps")))
    rates.push_back(c.text("kind") == "cosine" ? optim::cosine_rate(peak, step, schedule)
                                               : optim::stairs_rate(peak, step, schedule, drops));
  c.expect("lr", rates);
}

void mixup(Case& c) {
  const double lambda = c.flag("fold_lambda") ? bit::fold_lambda(c.number("lam")) : c.number("lam");
  const auto kind = choice<bit::Partner>(c.text("partner"));
  const auto x = c.input("x"), labels = c.input("labels");
  const auto partners = kind == bit::Partner::permute ? c.input("perm") : bit::mixup_partners(kind, x.size(0));
  const auto others = labels.index_select(0, partners);
  c.expect("x", bit::mix(x, partners, lambda));
  c.expect("targets", bit::mixed_targets(labels, others, lambda, c.integer("num_classes")));
  c.expect("labels_b", others);
  c.expect("loss", bit::mixed_cross_entropy(c.input("logits"), labels, others, lambda).item<double>());
  c.expect("lambda_used", lambda);
}

void mixup_lambda(Case& c) {
  std::vector<double> draws;
  for (int64_t step = 0; step < c.integer("draws"); ++step) draws.push_back(bit::mixup_lambda(c.number("alpha"), 0, step));
  std::sort(draws.begin(), draws.end());
  if (!(draws.front() >= 0 && draws.back() <= 1)) throw Error("a draw outside [0, 1]");
  const auto values = at::tensor(draws, at::kDouble);
  c.expect("mean", values.mean().item<double>());
  c.expect("variance", values.var(/*unbiased=*/false).item<double>());
  std::vector<double> cdf;
  for (double point : doubles(c.input("points")))
    cdf.push_back(double(std::upper_bound(draws.begin(), draws.end(), point) - draws.begin()) / double(draws.size()));
  c.expect("cdf", cdf);
}

void fewshot_subset(Case& c) {
  const auto labels = integers(c.input("labels"));
  if (c.text("sampler") == "ring")
    return c.expect("indices", bit::ring_subset(labels, integers(c.input("order")), c.integer("shots"), c.integer("num_classes")));
  const auto limit = c.has("pool_limit") ? std::optional(c.integer("pool_limit")) : std::nullopt;
  c.expect("indices", bit::numpy_choice_subset(labels, c.integer("shots"), c.integer("num_classes"), uint32_t(c.integer("seed")), limit));
}

void fewshot_lsr(Case& c) {
  const auto probe = bit::fewshot_lsr(c.input("x_train"), c.input("y_train"), c.integer("num_classes"), c.number("l2"));
  const auto scores = probe.scores(c.input("x_test"));
  c.expect("scores", scores);
  c.expect("predictions", scores.argmax(1));
  c.expect("accuracy", eval::classification_metrics(scores, c.input("y_test"), {1}).top(1));
}

void distill_loss(Case& c) {
  const auto student = leaf(c.input("student_logits"));
  const auto per_example = bit::distillation_loss(c.input("teacher_logits"), student, c.number("temperature"));
  per_example.mean().backward();
  c.expect("per_example", per_example);
  c.expect("loss", per_example.mean().item<double>());
  c.expect("grad_student", student.grad());
}

void sigmoid_xent(Case& c) {
  const auto logits = leaf(c.input("logits"));
  const auto per_example = bit::sigmoid_cross_entropy(logits, c.input("targets"));
  per_example.mean().backward();
  c.expect("per_example", per_example);
  c.expect("loss", per_example.mean().item<double>());
  c.expect("grad_logits", logits.grad());
}

void classification_metrics(Case& c) {
  const auto metrics = eval::classification_metrics(c.input("logits"), c.input("labels"));
  c.expect("loss", metrics.loss);
  c.expect("top1", metrics.top(1));
  c.expect("top5", metrics.top(5));
}

void objectnet_score(Case& c) {
  const auto score = bit::objectnet_score(c.input("logits"), c.input("class_of_id"), c.input("labels"));
  c.expect("top1_full", score.top1_full);
  c.expect("top5_full", score.top5_full);
  c.expect("top1_restricted", score.top1_restricted);
  c.expect("top5_restricted", score.top5_restricted);
  c.expect("count", score.count);
}

void vtab_score(Case& c) {
  const auto score = bit::vtab_score(doubles(c.input("accuracies")));
  c.expect("mean", score.mean);
  c.expect("natural", score.natural);
  c.expect("specialized", score.specialized);
  c.expect("structured", score.structured);
}

void vtab_label(Case& c) {
  std::vector<int64_t> labels;
  for (double value : doubles(c.input("value"))) labels.push_back(bit::vtab_label(c.text("task"), value));
  c.expect("label", labels);
}

void vtab_split(Case& c) {
  const auto split = bit::vtab_split(c.integer("train_size"), c.integer("val_size"));
  c.expect("train800", split.train800);
  c.expect("val200", split.val200);
  c.expect("train800val200", split.train800val200);
}

}  // namespace

OpTable bit_ops() {
  return {
      {"bit.hash_fill", hash_fill},
      {"bit.std_conv2d", std_conv2d},
      {"bit.group_norm_relu", group_norm_relu},
      {"bit.stem", stem},
      {"bit.preact_unit", preact_unit},
      {"bit.forward", forward},
      {"bit.loss_and_grads", loss_and_grads},
      {"bit.train_steps", train_steps},
      {"bit.replace_head", replace_head},
      {"bit.sgd_momentum", sgd_momentum},
      {"bit.param_names", param_names},
      {"bit.npz_load", npz_load},
      {"bit.pth_load", pth_load},
      {"bit.load_checkpoint", load_checkpoint},
      {"bit.adapt_input_conv", adapt_input_conv},
      {"bit.hyperrule", hyperrule},
      {"bit.mixup", mixup},
      {"bit.mixup_lambda", mixup_lambda},
      {"bit.fewshot_subset", fewshot_subset},
      {"bit.fewshot_lsr", fewshot_lsr},
      {"bit.distill_loss", distill_loss},
      {"bit.sigmoid_xent", sigmoid_xent},
      {"bit.classification_metrics", classification_metrics},
      {"bit.objectnet_score", objectnet_score},
      {"bit.vtab_score", vtab_score},
      {"bit.vtab_label", vtab_label},
      {"bit.vtab_split", vtab_split},
      {"bit.eval_transforms", eval_transforms},
      {"bit.train_transforms", train_transforms},
      {"bit.pretrain_lr", pretrain_lr},
  };
}

}  // namespace zoo::reference
