using System.Text.Json.Nodes;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Native;
using Llava.ModelCore.Tests.Parity;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>A small checkpoint of each layout, written here, then opened whole and damaged.</summary>
public sealed class CheckpointFolderTests : IDisposable
{
    private static readonly LlavaConfig Small = new()
    {
        LanguageModel = new LanguageModelConfig
        {
            VocabularySize = 24, HiddenSize = 16, IntermediateSize = 20, Layers = 2, Heads = 4, KeyValueHeads = 2, NormEpsilon = 1e-5, MaxPositions = 96,
        },
        Vision = new VisionConfig { HiddenSize = 64, IntermediateSize = 12, Layers = 3, Heads = 1, ImageSize = 12, PatchSize = 4 },
        Projector = new ProjectorConfig { InputSize = 64, OutputSize = 16, Depth = 2 },
        ImageAspect = ImageAspect.Pad,
    };

    private readonly TemporaryFolder _folder = new();

    static CheckpointFolderTests() => Native.TorchLibrary.EnsureLoaded();

    [Fact]
    public void Every_layout_of_the_fixtures_is_recognised_by_its_content()
    {
        foreach (var data in ModelCase.Where(_ => true))
        {
            var (folder, name) = ((string)data[0], (string)data[1]);
            // Under a name that says nothing.
            using var copy = new TemporaryFolder().With(Path.Combine(folder, name));
            using var original = CheckpointFolder.Open(Path.Combine(folder, name));
            using var checkpoint = CheckpointFolder.Open(copy.Path, new CheckpointOptions { VisionTowerFolder = original.VisionTowerFolder });
            Assert.Equal(original.Layout, checkpoint.Layout);
            Assert.Equal(original.Config, checkpoint.Config);
            var expected = File.Exists(copy.File("processor_config.json")) ? new[] { CheckpointLayout.HfOld, CheckpointLayout.HfNew } : [CheckpointLayout.LlavaOriginal];
            Assert.Contains(checkpoint.Layout, expected);
            Assert.Equal(name, original.Name);
            Assert.True(File.Exists(original.PreprocessorConfigPath));
            Assert.NotEmpty(original.Generation.EndTokens);
            Assert.Empty(original.UnusedTensors);
        }
    }

    [Fact]
    public void A_language_model_alone_opens_for_text_only()
    {
        foreach (var path in FixtureFolder.Cases("G").SelectMany(Directory.EnumerateDirectories).Where(f => TensorContainer.FindIn(f) is not null))
        {
            using var checkpoint = CheckpointFolder.Open(path);
            Assert.Equal(CheckpointLayout.PlainLanguageModel, checkpoint.Layout);
            Assert.Null(checkpoint.Config.Vision);
            Assert.Equal(checkpoint.Config.LanguageModel.VocabularySize, checkpoint.GeneratableVocabulary);
        }
    }

    [Fact]
    public void A_part_of_a_model_is_refused_by_what_it_is()
    {
        Assert.Contains("holds no weights: none of model.safetensors", Refusal());
        File.WriteAllText(_folder.File("config.json"), "{}");
        File.WriteAllText(_folder.File("mm_projector.bin"), "");
        Assert.Contains("holds only a projector for base model ''", Refusal());
        File.WriteAllText(_folder.File("adapter_config.json"), """{"base_model_name_or_path": "vicuna"}""");
        Assert.Contains("holds a LoRA adapter for base model 'vicuna'", Refusal());
    }

    [Fact]
    public void A_delta_is_refused_by_its_final_norm()
    {
        Write(_folder.Path, value: 0.05f);
        Assert.Contains("looks like delta weights: its final norm 'model.norm.weight' averages 0.05", Refusal());
        CheckpointFolder.Open(_folder.Path, new CheckpointOptions { AllowDelta = true }).Dispose();
    }

    [Theory]
    [InlineData("transformer.wte.weight", "llava_mpt", "attn_config is absent; it must be an object with 'alibi': true")]
    [InlineData("gpt_neox.embed_in.weight", "gpt_neox", "neither LLaVA nor a language model of the LLaMA or MPT family: model_type is 'gpt_neox'")]
    [InlineData("model.image_newline", "llava", "several tiles per image")]
    public void A_model_of_another_family_is_refused_by_what_it_is(string tensor, string modelType, string says)
    {
        SafeTensorsWriter.Write(_folder.File("model.safetensors"), [new TensorEntry(tensor, ScalarType.Float32, [1])], _ => ones(1));
        File.WriteAllText(_folder.File("config.json"), $$"""{"model_type": "{{modelType}}", "architectures": ["X"]}""");
        Assert.Contains(says, Refusal());
    }

    [Fact]
    public void The_vision_tower_may_be_inside_or_beside()
    {
        foreach (var placement in (VisionTowerPlacement[])[VisionTowerPlacement.Inside, VisionTowerPlacement.Beside])
        {
            using var folder = new TemporaryFolder();
            Write(folder.Path, placement);
            using var checkpoint = CheckpointFolder.Open(folder.Path);
            Assert.Equal(folder.File("vision_tower/preprocessor_config.json"), checkpoint.PreprocessorConfigPath);
            Assert.Equal(Small.Vision! with { Layers = 2, SelectLayer = -1 }, checkpoint.Config.Vision);
            Assert.Equal(Small.LanguageModel, checkpoint.Config.LanguageModel);
            Assert.Equal(Small.Projector, checkpoint.Config.Projector);
            Assert.Equal(ImageAspect.Pad, checkpoint.Config.ImageAspect);
        }
    }

    [Fact]
    public void A_tower_inside_without_a_config_is_told_by_its_shapes()
    {
        Write(_folder.Path, VisionTowerPlacement.Inside);
        Directory.Delete(_folder.File("vision_tower"), recursive: true);
        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        Assert.Equal(Small.Vision! with { Layers = 2, SelectLayer = -1 }, checkpoint.Config.Vision);
        Assert.Null(checkpoint.PreprocessorConfigPath);
    }

    [Fact]
    public void A_tower_that_is_not_found_is_refused_with_the_folders_tried()
    {
        Write(_folder.Path, VisionTowerPlacement.Beside);
        _folder.Edit("config.json", json => json["mm_vision_tower"] = "openai/no-such-tower");
        var message = Refusal();
        Assert.Contains($"'{_folder.File("openai/no-such-tower")}'", message);
        Assert.Contains(Path.Combine(Path.GetDirectoryName(_folder.Path)!, "openai/no-such-tower"), message);
        Assert.Contains(Path.Combine(Directory.GetCurrentDirectory(), "openai/no-such-tower"), message);
        Assert.Contains("/elsewhere", Assert.Throws<CheckpointException>(() =>
            CheckpointFolder.Open(_folder.Path, new CheckpointOptions { VisionTowerFolder = "/elsewhere" })).Message);
    }

    [Fact]
    public void A_missing_tensor_is_named_with_its_shape_and_file()
    {
        Write(_folder.Path, without: "language_model.layers.1.mlp.up_proj.weight");
        Assert.Contains($"'model.layers.1.mlp.up_proj.weight' of shape [20, 16] in '{_folder.File("model.safetensors")}'", Refusal());
    }

    [Fact]
    public void A_tensor_of_another_shape_is_named_with_both_shapes()
    {
        Write(_folder.Path);
        _folder.Edit("config.json", json => json["intermediate_size"] = 21);
        Assert.Contains("has shape [20, 16], the config calls for [21, 16]", Refusal());
    }

    [Fact]
    public void A_tensor_nothing_uses_is_refused_or_listed()
    {
        Write(_folder.Path);
        _folder.Edit("config.json", json => json["num_hidden_layers"] = 1);
        Assert.Contains("'model.layers.1.input_layernorm.weight'", Refusal());
        using var checkpoint = CheckpointFolder.Open(_folder.Path, new CheckpointOptions { AllowUnusedTensors = true });
        Assert.Equal(9, checkpoint.UnusedTensors.Count);
    }

    [Theory]
    [InlineData("num_hidden_layers", "\"two\"", "a whole number")]
    [InlineData("num_hidden_layers", "0", "a whole number")]
    [InlineData("hidden_size", "16.5", "a whole number")]
    [InlineData("num_attention_heads", "3", "num_key_value_heads is 2; it must be a divisor")]
    [InlineData("rms_norm_eps", "2", "a number from 0 to 1")]
    [InlineData("rope_theta", "\"10000\"", "a number")]
    [InlineData("rope_scaling", """{"type": "yarn", "factor": 2}""", "rope_scaling.type is \"yarn\"; it must be one of linear, dynamic")]
    [InlineData("rope_scaling", """{"type": "linear"}""", "rope_scaling.factor is absent")]
    [InlineData("hidden_act", "\"gelu\"", "silu")]
    [InlineData("attention_bias", "true", "false")]
    [InlineData("model_type", "\"qwen2\"", "one of llama")]
    [InlineData("image_aspect_ratio", "\"tall\"", "one of square, pad")]
    [InlineData("image_aspect_ratio", "\"anyres\"", "several tiles per image")]
    [InlineData("mm_projector_type", "\"mlpx_gelu\"", "linear, identity or mlpNx_gelu")]
    [InlineData("mm_projector_type", "\"identity\"", "a projection")]
    [InlineData("mm_hidden_size", "63", "the vision tower's hidden size, 64")]
    [InlineData("mm_vision_select_layer", "-4", "one hidden state from -3 to 2")]
    [InlineData("mm_vision_select_feature", "\"cls\"", "one of patch, cls_patch")]
    [InlineData("torch_dtype", "\"int8\"", "float16, bfloat16")]
    [InlineData("tie_word_embeddings", "1", "true or false")]
    [InlineData("quantization_config", """{"quant_method": "awq", "w_bit": 4}""", "weights that AWQ quantized to 4 bits, a layout that is not read. Use the unquantized checkpoint that it was made from with --quantize int4")]
    [InlineData("quantization_config", """{"quant_method": "gptq", "bits": 8}""", "weights that GPTQ quantized to 8 bits, a layout that is not read. Use the unquantized checkpoint that it was made from with --quantize int8")]
    [InlineData("quantization_config", """{"quant_method": "hqq"}""", "weights that hqq quantized, a layout")]
    [InlineData("quantization_config", """{"quant_method": "llava-packed", "version": 1, "scheme": "int4"}""", "packed by another version")]
    [InlineData("quantization_config", """{"quant_method": "llava-packed", "version": 2, "scheme": "int3"}""", "int8, int4, nf4, llmint8")]
    public void An_illegal_field_is_refused_with_file_field_value_and_what_is_right(string field, string value, string says)
    {
        Write(_folder.Path);
        _folder.Edit("config.json", json => json[field] = JsonNode.Parse(value));
        var message = Refusal();
        Assert.Contains(_folder.File("config.json"), message);
        Assert.Contains(says, message);
    }

    [Fact]
    public void Absent_fields_have_the_librarys_defaults()
    {
        Write(_folder.Path, config: Small with { LanguageModel = Small.LanguageModel with { KeyValueHeads = 4 }, ImageAspect = ImageAspect.Square });
        string[] absent =
        [
            "num_key_value_heads", "rms_norm_eps", "max_position_embeddings", "rope_theta", "rope_scaling", "tie_word_embeddings", "hidden_act", "image_aspect_ratio",
            "mm_vision_select_feature", "mm_hidden_size", "mm_use_im_start_end", "mm_use_im_patch_token", "torch_dtype", "architectures", "eos_token_id", "bos_token_id", "pad_token_id",
        ];
        _folder.Edit("config.json", json => absent.ToList().ForEach(field => json.Remove(field)));
        File.Delete(_folder.File("generation_config.json"));

        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        var model = checkpoint.Config.LanguageModel;
        Assert.Equal((4, 1e-6, 2048, 10_000.0, null, false), (model.KeyValueHeads, model.NormEpsilon, model.MaxPositions, model.RopeTheta, model.RopeScaling, model.TieEmbeddings));
        Assert.Equal(ImageAspect.Square, checkpoint.Config.ImageAspect);
        Assert.False(checkpoint.Config.UseImageStartEnd);
        Assert.True(checkpoint.Config.UseImagePatchToken);
        Assert.False(checkpoint.Config.Vision!.KeepsClassToken);
        Assert.Equal(ScalarType.Float32, checkpoint.StorageType);
        Assert.Equal([2], checkpoint.Generation.EndTokens);
        Assert.Equal(1, checkpoint.Generation.BeginToken);
        Assert.Null(checkpoint.Generation.PadToken);
        Assert.Equal(2048, checkpoint.ContextLength);
    }

    [Fact]
    public void A_sliding_window_bounds_the_context()
    {
        Write(_folder.Path);
        _folder.Edit("config.json", json => (json["sliding_window"], json["model_type"]) = (64, "llava_mistral"));
        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        Assert.Equal(64, checkpoint.ContextLength);
    }

    [Fact]
    public void Generation_defaults_come_from_their_file()
    {
        Write(_folder.Path);
        File.WriteAllText(_folder.File("generation_config.json"), """
            {"eos_token_id": [2, 7], "bos_token_id": 1, "pad_token_id": -1, "do_sample": true, "temperature": 0.9, "top_p": 0.6, "top_k": 50, "repetition_penalty": 1.1, "max_new_tokens": 64, "choice_temperature": 2.5}
            """);
        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        var generation = checkpoint.Generation;
        Assert.Equal([2, 7], generation.EndTokens);
        Assert.Equal((true, 0.9, 0.6, 50, 1.1, 64), (generation.Samples, generation.Temperature, generation.TopP, generation.TopK, generation.RepetitionPenalty, generation.MaxNewTokens));
        Assert.Equal(2.5, generation.ChoiceTemperature);
    }

    [Theory]
    [InlineData("/a/llava-v1.5-7b", "llava-v1.5-7b")]
    [InlineData("/a/llava/checkpoint-100/", "llava_checkpoint-100")]
    [InlineData(@"C:\models\llava", "llava")]
    public void The_models_name_is_the_folders(string path, string name) => Assert.Equal(name, CheckpointFolder.ModelName(path));

    [Fact]
    public void Weights_are_never_overwritten()
    {
        Write(_folder.Path);
        Assert.Contains("already holds weights", Assert.Throws<CheckpointException>(() => Write(_folder.Path)).Message);
    }

    public void Dispose() => _folder.Dispose();

    private static void Write(string path, VisionTowerPlacement placement = VisionTowerPlacement.Beside, string? without = null, LlavaConfig? config = null, float value = 1)
    {
        config ??= Small;
        var shapes = ModelParameters.Of(config).ToDictionary(p => p.Name, p => p.Shape);
        var options = new CheckpointWriteOptions { StorageType = ScalarType.Float32, VisionTower = placement };
        LlavaCheckpointWriter.Write(path, config, name => full([.. shapes[name]], Scalars.Of(value), ScalarType.Float32), options);
        if (without is null)
        {
            return;
        }

        var file = Path.Combine(path, "model.safetensors");
        var missing = without.Replace("language_model.", "model.", StringComparison.Ordinal);
        TensorEntry[] kept;
        using (var whole = SafeTensorsFile.Open(file))
        {
            kept = [.. whole.Entries.Where(e => e.Name != missing)];
        }

        SafeTensorsWriter.Write(file, kept, name => ones([.. kept.First(e => e.Name == name).Shape]));
    }

    private string Refusal() => Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(_folder.Path)).Message;
}
