// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "wse/base/units.h"
#include "wse/host/model_spec.h"

namespace wse::host {
namespace {

using nlohmann::json;

constexpr std::uint64_t kDefaultHeadWidth = 64;  ///< of the T5 family

std::string read_text(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw base::ConfigError("model", path, "is a folder; a config.json file is needed");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw base::ConfigError("model", path, "cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  if (text.str().empty()) throw base::ConfigError("model", path, "is empty");
  return text.str();
}

/// Watches what is parsed for keys that are given twice: the library would take the last one.
class KeyWatch {
 public:
  explicit KeyWatch(std::string path) : path_(std::move(path)) {}
  bool see(json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event != json::parse_event_t::key) return true;
    const auto key = parsed.get<std::string>();
    if (!keys_.back().insert(key).second) {
      throw base::ConfigError(key, "", "is given twice", path_);
    }
    return true;
  }

 private:
  const std::string path_;
  std::vector<std::set<std::string>> keys_;  ///< of the objects that are open
};

json parse(const std::string& path) {
  try {
    KeyWatch watch(path);
    json document = json::parse(read_text(path), [&watch](int, json::parse_event_t event, json& p) {
      return watch.see(event, p);
    });
    if (!document.is_object()) throw base::ConfigError("model", path, "must be a JSON object");
    return document;
  } catch (const json::exception& error) {
    // The library says "parse error at line L, column C: ...".
    throw base::ConfigError("model", path, fmt::format("is not valid JSON: {}", error.what()));
  }
}

/// Reads keys and collects what is wrong with them.
class Reader {
 public:
  Reader(const json& document, std::string place, base::ConfigErrors& errors)
      : document_(document), place_(std::move(place)), errors_(errors) {}

  std::optional<std::uint64_t> number(const char* key) {
    const auto it = document_.find(key);
    if (it == document_.end() || it->is_null()) return std::nullopt;
    if (it->is_number_unsigned() && *it != 0u) return it->get<std::uint64_t>();
    errors_.add(key, it->dump(), "must be a positive whole number", place_);
    bad_ = true;
    return 1;
  }
  std::uint64_t required(const char* key) {
    if (const auto value = number(key)) return *value;
    errors_.add(key, "", "is missing", place_);
    bad_ = true;
    return 1;
  }
  /// Like number, but zero is allowed.
  std::optional<std::uint64_t> count(const char* key) {
    const auto it = document_.find(key);
    if (it != document_.end() && it->is_number_unsigned() && *it == 0u) return 0;
    return number(key);
  }
  std::string text(const char* key, const std::string& otherwise) {
    const auto it = document_.find(key);
    if (it == document_.end() || it->is_null()) return otherwise;
    if (it->is_string()) return it->get<std::string>();
    errors_.add(key, it->dump(), "must be a text", place_);
    bad_ = true;
    return otherwise;
  }
  std::uint64_t square_root(const char* key, std::uint64_t value) {
    const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(value)));
    if (root * root == value && root <= 4096) return root;
    errors_.add(key, std::to_string(value), "must be a square, at most 4096 x 4096", place_);
    bad_ = true;
    return 1;
  }
  bool flag(const char* key, bool otherwise) {
    const auto it = document_.find(key);
    if (it == document_.end() || it->is_null()) return otherwise;
    if (it->is_boolean()) return it->get<bool>();
    errors_.add(key, it->dump(), "must be true or false", place_);
    bad_ = true;
    return otherwise;
  }
  bool bad() const { return bad_; }

 private:
  const json& document_;
  std::string place_;
  base::ConfigErrors& errors_;
  bool bad_ = false;
};

/// Names of one model type's keys, the defaults of its configuration class, and what is fixed.
struct Dialect {
  const char* type;
  const char* layers;
  const char* width;
  const char* heads;
  const char* feed_forward;
  const char* positions;
  /// Four times the width where the class says none.
  std::optional<std::uint64_t> default_feed_forward;
  /// None: the key is required (learned positions).
  std::optional<std::uint64_t> default_positions;
  bool default_tied;
  void (*details)(Reader&, ModelSpec&);  ///< what the type decides, and its own keys
};

void gpt_neox_details(Reader& reader, ModelSpec& spec) {
  spec.parallel_blocks = reader.flag("use_parallel_residual", true);
  spec.attention_bias = reader.flag("attention_bias", true);
}
void gpt2_details(Reader&, ModelSpec& spec) { spec.learned_positions = true; }
void gptj_details(Reader&, ModelSpec& spec) {
  spec.parallel_blocks = true;
  spec.norms_per_layer = 1;
  spec.attention_bias = false;
  spec.head_bias = true;
}
void llama_details(Reader& reader, ModelSpec& spec) {
  spec.gated = true;
  spec.norm_bias = false;
  const auto head = reader.number("head_dim");
  if (head) spec.attention_width = base::mul_saturated(spec.heads, *head);
  const std::uint64_t shared = reader.number("num_key_value_heads").value_or(0);
  spec.key_value_width = shared == 0
                             ? spec.attention_width
                             : base::mul_saturated(spec.attention_width / spec.heads, shared);
  spec.attention_bias = reader.flag("attention_bias", false);
  spec.feed_forward_bias = reader.flag("mlp_bias", false);
}
void bert_details(Reader& reader, ModelSpec& spec) {
  spec.learned_positions = true;
  spec.token_types = reader.number("type_vocab_size").value_or(2);
  spec.causal = false;
  spec.embedding_norm = true;
  spec.final_norm = false;
  spec.head_bias = true;
  spec.head_transform = true;
}
/// As the configuration class: a step of layers for the given number of sparse ones.
std::uint64_t expert_step(Reader& reader, const char* key, std::uint64_t layers) {
  const std::uint64_t sparse = reader.count(key).value_or(3);
  return sparse == 0 ? 0 : layers / sparse;
}
void switch_details(Reader& reader, ModelSpec& spec) {
  const std::uint64_t decoder = reader.number("num_decoder_layers").value_or(spec.layers);
  spec.encoder_layers = spec.layers;
  spec.layers += decoder;
  spec.attention_width =
      base::mul_saturated(spec.heads, reader.number("d_kv").value_or(kDefaultHeadWidth));
  spec.key_value_width = spec.attention_width;
  const std::string activation = reader.text("feed_forward_proj", "relu");
  spec.gated = activation.rfind("gated", 0) == 0;
  spec.relu = activation == "relu";
  spec.experts = reader.number("num_experts").value_or(8);
  spec.encoder_expert_step = expert_step(reader, "num_sparse_encoder_layers", spec.encoder_layers);
  spec.decoder_expert_step = expert_step(reader, "num_sparse_decoder_layers", decoder);
  spec.router_bias = reader.flag("router_bias", false);
  spec.relative_buckets = reader.number("relative_attention_num_buckets").value_or(32);
  spec.attention_bias = false;
  spec.feed_forward_bias = false;
  spec.norm_bias = false;
}
void gopher_details(Reader&, ModelSpec& spec) {
  spec.relative_positions = true;
  spec.norm_bias = false;
}
void dalle_details(Reader& reader, ModelSpec& spec) {
  spec.learned_positions = true;
  spec.image_vocabulary = reader.required("image_vocab_size");
  spec.image_side = reader.square_root("image_length", reader.required("image_length"));
  spec.positions += spec.image_side * spec.image_side;
}

constexpr Dialect kDialects[] = {
    {"gpt_neox", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
     "max_position_embeddings", 24576, 2048, false, gpt_neox_details},
    {"gpt2", "n_layer", "n_embd", "n_head", "n_inner", "n_positions", std::nullopt, std::nullopt,
     true, gpt2_details},
    {"gptj", "n_layer", "n_embd", "n_head", "n_inner", "n_positions", std::nullopt, 2048, false,
     gptj_details},
    {"llama", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
     "max_position_embeddings", 11008, 2048, false, llama_details},
    {"bert", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
     "max_position_embeddings", 3072, std::nullopt, true, bert_details},
    {"gopher", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
     "max_position_embeddings", std::nullopt, 2048, true, gopher_details},
    {"dalle", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
     "max_text_length", std::nullopt, std::nullopt, false, dalle_details},
    {"switch_transformers", "num_layers", "d_model", "num_heads", "d_ff", "n_positions", 2048, 512,
     true, switch_details},
};

const Dialect& dialect_of(const json& document, const std::string& path) {
  const auto it = document.find("model_type");
  if (it == document.end()) throw base::ConfigError("model_type", "", "is missing", path);
  std::vector<std::string> known;
  for (const Dialect& dialect : kDialects) {
    if (it->is_string() && it->get<std::string>() == dialect.type) return dialect;
    known.emplace_back(dialect.type);
  }
  std::string rule = fmt::format("must be one of {}", fmt::join(known, ", "));
  if (it->is_string()) {
    const std::string near = base::nearest_name(it->get<std::string>(), known);
    if (!near.empty()) rule += "; did you mean " + near + "?";
  }
  throw base::ConfigError("model_type", it->dump(), rule, path);
}

/// The head that the first class of `architectures` carries; without the key, the one a model of
/// the type is trained with.
Head head_of(const json& document, bool bert, const std::string& path, base::ConfigErrors& errors) {
  const auto it = document.find("architectures");
  if (it == document.end() || it->is_null()) {
    return bert ? Head::kPretraining : Head::kLanguageModel;
  }
  if (!it->is_array() || it->empty() || !it->front().is_string()) {
    errors.add("architectures", it->dump(), "must be a list of class names", path);
    return Head::kNone;
  }
  const std::string name = it->front().get<std::string>();
  const auto has = [&name](const char* part) { return name.find(part) != std::string::npos; };
  if (has("ForPreTraining")) return bert ? Head::kPretraining : Head::kLanguageModel;
  if (has("LMHead") || has("CausalLM") || has("MaskedLM") || has("ConditionalGeneration")) {
    return Head::kLanguageModel;
  }
  if (!bert) return Head::kNone;
  return has("SequenceClassification") ? Head::kClassifier : Head::kPooler;
}

}  // namespace

ModelSpec read_model(const std::string& path, const std::string& name) {
  const json document = parse(path);
  const Dialect& dialect = dialect_of(document, path);
  base::ConfigErrors errors;
  Reader reader(document, path, errors);
  ModelSpec spec;
  spec.name = name;
  spec.type = dialect.type;
  spec.layers = reader.required(dialect.layers);
  spec.width = reader.required(dialect.width);
  spec.heads = reader.required(dialect.heads);
  spec.vocabulary = reader.required("vocab_size");
  spec.positions = dialect.default_positions
                       ? reader.number(dialect.positions).value_or(*dialect.default_positions)
                       : reader.required(dialect.positions);
  spec.feed_forward = reader.number(dialect.feed_forward)
                          .value_or(dialect.default_feed_forward.value_or(
                              spec.width > 10'000'000 ? spec.width : 4 * spec.width));
  spec.attention_width = spec.width;
  spec.key_value_width = spec.width;
  dialect.details(reader, spec);
  spec.tied_head = reader.flag("tie_word_embeddings", dialect.default_tied);
  spec.head = head_of(document, spec.type == "bert", path, errors);
  spec.stated_parameters = reader.number("num_parameters");
  if (!reader.bad()) spec.validate(path, errors);
  errors.throw_if_any();
  return spec;
}

}  // namespace wse::host
