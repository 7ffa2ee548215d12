// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "wse/host/model_spec.h"

namespace wse::host {
namespace {

class ModelReaderTest : public ::testing::Test {
 protected:
  ModelReaderTest()
      : path_(std::filesystem::temp_directory_path() /
              ("wse_model_" + std::to_string(getpid()) + ".json")) {}
  ~ModelReaderTest() override { std::filesystem::remove(path_); }

  ModelSpec read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_model(path_.string(), "test");
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  }
  const std::filesystem::path path_;
};

std::string preset(const std::string& name) {
  return WSE_SOURCE_DIR "/configs/models/" + name + ".json";
}

TEST(ModelPresetTest, ParametersAreThePublishedOnes) {
  EXPECT_EQ(read_model(preset("gpt-neox-20b"), "x").parameters(), 20'554'567'680u);
  EXPECT_EQ(read_model(preset("gpt-3-xl"), "x").parameters(), 1'315'723'264u);
  EXPECT_EQ(read_model(preset("gpt-3-6.7b"), "x").parameters(), 6'658'404'352u);
  EXPECT_EQ(read_model(preset("gpt-3-13b"), "x").parameters(), 12'853'386'240u);
  EXPECT_EQ(read_model(preset("gpt-3-20b"), "x").parameters(), 20'256'221'184u);
  EXPECT_EQ(read_model(preset("gpt-3-175b"), "x").parameters(), 174'604'259'328u);
  EXPECT_EQ(read_model(preset("gpt-2"), "x").parameters(), 124'439'808u);
  EXPECT_EQ(read_model(preset("gpt-j-6b"), "x").parameters(), 6'050'882'784u);
  EXPECT_EQ(read_model(preset("llama2-7b"), "x").parameters(), 6'738'415'616u);
  EXPECT_EQ(read_model(preset("bert-large"), "x").parameters(), 336'226'108u);
  // L 13 d^2 and biases, two scales a layer, a tied head.
  constexpr std::uint64_t g = 16'384;
  EXPECT_EQ(read_model(preset("gopher-280b"), "x").parameters(),
            80 * (13 * g * g + 4 * g + g + 4 * g + g + 2 * g) + g + 32'000 * g);
  // 256 places of text, each with its filler, 32 rows and 32 columns.
  constexpr std::uint64_t e = 3'968;
  EXPECT_EQ(read_model(preset("dalle-12b"), "x").parameters(),
            64 * (12 * e * e + 13 * e) + 2 * e + 2 * (16'384 + 8'192) * e + (512 + 64) * e);
  // Encoder and pooler, and two labels.
  EXPECT_EQ(read_model(preset("bert-large-sst2"), "x").parameters(), 335'141'888u + 2 * 1024 + 2);
}

TEST_F(ModelReaderTest, MissingKeysTakeTheDefaultsOfTheConfigurationClass) {
  const ModelSpec neox = read(R"({"model_type":"gpt_neox","num_hidden_layers":2,"hidden_size":64,
                                  "num_attention_heads":4,"vocab_size":100})");
  EXPECT_EQ(neox.feed_forward, 24'576u);
  EXPECT_EQ(neox.positions, 2'048u);
  EXPECT_TRUE(neox.parallel_blocks);
  EXPECT_FALSE(neox.tied_head);
  const ModelSpec gpt2 =
      read(R"({"model_type":"gpt2","n_layer":2,"n_embd":64,"n_head":4,"n_inner":null,
                                  "n_positions":32,"vocab_size":100})");
  EXPECT_EQ(gpt2.feed_forward, 256u);
  EXPECT_TRUE(gpt2.tied_head && gpt2.learned_positions && !gpt2.parallel_blocks);
  EXPECT_EQ(gpt2.head, Head::kLanguageModel);
}

TEST_F(ModelReaderTest, ArchitecturesDecideTheHead) {
  const auto head = [this](const std::string& type, const std::string& name) {
    return read(R"({"architectures":[")" + name + R"("],"model_type":")" + type +
                R"(","n_layer":2,"n_embd":64,"n_head":4,"n_positions":32,"vocab_size":100,
                   "num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,
                   "max_position_embeddings":32})")
        .head;
  };
  EXPECT_EQ(head("gpt2", "GPT2Model"), Head::kNone);
  EXPECT_EQ(head("gpt2", "GPT2LMHeadModel"), Head::kLanguageModel);
  EXPECT_EQ(head("llama", "LlamaForCausalLM"), Head::kLanguageModel);
  EXPECT_EQ(head("bert", "BertModel"), Head::kPooler);
  EXPECT_EQ(head("bert", "BertForSequenceClassification"), Head::kClassifier);
  EXPECT_EQ(head("bert", "BertForMaskedLM"), Head::kLanguageModel);
  EXPECT_EQ(head("bert", "BertForPreTraining"), Head::kPretraining);
}

TEST_F(ModelReaderTest, EveryBadValueIsNamedWithItsRule) {
  const std::string bad = refusal(
      R"({"model_type":"gpt2","n_layer":-2,"n_embd":"wide","vocab_size":1.5,"n_positions":8})");
  EXPECT_NE(bad.find("n_layer = -2: must be a positive whole number"), std::string::npos) << bad;
  EXPECT_NE(bad.find("n_embd = \"wide\""), std::string::npos);
  EXPECT_NE(bad.find("n_head: is missing"), std::string::npos);
  EXPECT_NE(bad.find("vocab_size = 1.5"), std::string::npos);
}

TEST_F(ModelReaderTest, ImpossibleModelsAreRefused) {
  const char* form =
      R"({"model_type":"gpt2","n_layer":%s,"n_embd":%s,"n_head":%s,"n_positions":8,"vocab_size":9%s})";
  const auto with = [&](const char* layers, const char* width, const char* heads,
                        const char* more) {
    char text[300];
    std::snprintf(text, sizeof text, form, layers, width, heads, more);
    return refusal(text);
  };
  EXPECT_NE(with("2", "64", "5", "").find("must divide the width"), std::string::npos);
  EXPECT_NE(with("0", "64", "4", "").find("n_layer = 0"), std::string::npos);
  EXPECT_NE(with("18446744073709551615", "64", "4", "").find("must be 1 .. 100000"),
            std::string::npos);
  EXPECT_NE(with("2", "99999999999", "4", "").find("width"), std::string::npos);
  EXPECT_NE(with("2", "64", "4", R"(,"num_parameters":1234)").find("differs by more than 2 %"),
            std::string::npos);
  EXPECT_NE(with("2", "64", "4", R"(,"num_parameters":107000)").find("differs by more than 5 %"),
            std::string::npos);
  EXPECT_EQ(with("2", "64", "4", R"(,"num_parameters":105000)"), "");  // 101,184 counted
  EXPECT_EQ(with("2", "64", "4", ""), "");
}

TEST_F(ModelReaderTest, ImpossibleHeadsOfLlamaAreRefused) {
  const auto with = [this](const char* width, const char* more) {
    return refusal(std::string(R"({"model_type":"llama","num_hidden_layers":2,"hidden_size":)") +
                   width + R"(,"num_attention_heads":8,"vocab_size":100)" + more + "}");
  };
  EXPECT_EQ(with("64", R"(,"num_key_value_heads":2,"head_dim":16)"), "");
  EXPECT_NE(with("4", "").find("must divide the width"), std::string::npos);
  EXPECT_NE(with("64", R"(,"num_key_value_heads":3)").find("must divide the heads (8)"),
            std::string::npos);
  EXPECT_NE(with("64", R"(,"num_key_value_heads":16)").find("must divide the heads (8)"),
            std::string::npos);
  EXPECT_NE(
      with("64", R"(,"num_key_value_heads":18446744073709551615)").find("num_key_value_heads"),
      std::string::npos);
  EXPECT_NE(with("64", R"(,"head_dim":18446744073709551615)").find("attention_width"),
            std::string::npos);
}

TEST_F(ModelReaderTest, SwitchTransformersTakeTheDefaultsOfTheirClass) {
  const ModelSpec spec = read(
      R"({"model_type":"switch_transformers","num_layers":12,"d_model":768,"num_heads":12,
          "vocab_size":32128})");
  EXPECT_EQ(spec.layers, 24u);  // an encoder and a decoder
  EXPECT_EQ(spec.encoder_layers, 12u);
  EXPECT_EQ(spec.attention_width, 12u * 64);
  EXPECT_EQ(spec.feed_forward, 2048u);
  EXPECT_EQ(spec.positions, 512u);
  EXPECT_TRUE(spec.tied_head);
  std::vector<std::uint64_t> sparse;
  for (std::uint64_t layer = 0; layer < spec.layers; ++layer) {
    if (spec.experts_of(layer) == 8) sparse.push_back(layer);
  }
  EXPECT_EQ(sparse, (std::vector<std::uint64_t>{1, 5, 9, 13, 17, 21}));  // every fourth of a stack
  EXPECT_TRUE(spec.has_cross_attention(12));
  EXPECT_FALSE(spec.has_cross_attention(11));
  EXPECT_NE(refusal(R"({"model_type":"switch_transformers","num_layers":2,"d_model":8,"num_heads":2,
                        "vocab_size":9,"num_experts":-1})")
                .find("num_experts = -1"),
            std::string::npos);
}

TEST_F(ModelReaderTest, FilesThatAreNoModelAreRefused) {
  EXPECT_NE(refusal("").find("is empty"), std::string::npos);
  EXPECT_NE(refusal("{\n\"a\": 1,\n").find("line 3"), std::string::npos);
  EXPECT_NE(refusal(std::string("\x00\x01\x7f"
                                "ELF",
                                6))
                .find("is not valid JSON"),
            std::string::npos);
  EXPECT_NE(refusal("[1]").find("must be a JSON object"), std::string::npos);
  EXPECT_NE(refusal("{}").find("model_type: is missing"), std::string::npos);
  EXPECT_NE(refusal(R"({"model_type":"gpt_neo"})").find("did you mean gpt_neox?"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"model_type":"gpt2","n_layer":2,"a":{"n_layer":1},"n_layer":3})")
                .find("n_layer: is given twice"),
            std::string::npos);
  EXPECT_THROW(read_model("/", "x"), base::ConfigError);
  EXPECT_THROW(read_model("/nowhere.json", "x"), base::ConfigError);
}

}  // namespace
}  // namespace wse::host
