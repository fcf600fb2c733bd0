using System.Diagnostics;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tests.Parity;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>Checkpoints whose language model is written packed, and opened where it lies in the file.</summary>
public sealed class PackedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    static PackedCheckpointTests() => Native.TorchLibrary.EnsureLoaded();

    public static TheoryData<string, string> Checkpoints => ModelCase.Where(_ => true);

    private static string Shipped => Repository.Path("models", "llava-scenes");

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Checkpoints))]
    public void What_is_opened_is_what_quantizing_at_load_makes_bit_by_bit(string folder, string name)
    {
        using var original = CheckpointFolder.Open(Path.Combine(folder, name));
        foreach (var scheme in (QuantizationScheme[])[QuantizationScheme.Int8, QuantizationScheme.Int4, QuantizationScheme.Nf4, QuantizationScheme.LlmInt8])
        {
            var target = _folder.File(scheme.ToString());
            PackedCheckpointWriter.Write(original, target, scheme);
            using var written = CheckpointFolder.Open(target);
            using var expected = PackedCheckpoint.Load(original, new EngineOptions { Quantize = scheme });
            using var actual = PackedCheckpoint.Load(written, new EngineOptions());

            Assert.Equal(scheme, written.Packed!.Scheme);
            Assert.Equal(original.Config.LanguageModel, written.Config.LanguageModel);
            Assert.Equal(expected.Bytes, actual.Bytes);
            Assert.Equal(Bytes(expected.Head), Bytes(actual.Head));
            foreach (var (layer, found) in expected.Layers.Zip(actual.Layers))
            {
                Assert.Equal(Bytes(layer.QueryKeyValue), Bytes(found.QueryKeyValue));
                Assert.Equal(Bytes(layer.Output), Bytes(found.Output));
                Assert.Equal(Bytes(layer.GateUp), Bytes(found.GateUp));
                Assert.Equal(Bytes(layer.Down), Bytes(found.Down));
            }

            for (var token = 0; token < original.Config.LanguageModel.VocabularySize; token++)
            {
                Assert.Equal(Row(expected, token), Row(actual, token));
            }
        }
    }

    [Theory]
    [InlineData(QuantizationScheme.Int8)]
    [InlineData(QuantizationScheme.Int4)]
    [InlineData(QuantizationScheme.Nf4)]
    [InlineData(QuantizationScheme.LlmInt8)]
    public async Task It_opens_at_once_and_gives_the_same_answers(QuantizationScheme scheme)
    {
        Write(scheme);
        await using var quantized = LoadedModel.Load(Shipped, new EngineOptions { Quantize = scheme });
        var start = Stopwatch.GetTimestamp();
        await using var opened = LoadedModel.Load(_folder.Path);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        Question question = new() { Text = "Describe the image.", Images = [File.ReadAllBytes(Directory.EnumerateFiles(Repository.Path("samples", "images")).Order(StringComparer.Ordinal).First())] };
        var (expected, actual) = (await quantized.AnswerAsync(question), await opened.AnswerAsync(question));
        Assert.Equal(expected.Text, actual.Text);
        Assert.Equal(expected.Sequence.Confidence, actual.Sequence.Confidence);
        // A fraction of a second, and room for whatever else the machine does.
        Assert.InRange(seconds, 0, 5);
        Assert.NotEqual(quantized.Revision, opened.Revision);
        Assert.Equal(opened.Revision, LoadedModel.RevisionOf(_folder.Path, new EngineOptions()));
        Assert.Equal(ModelMemory.Estimate(_folder.Path, new EngineOptions()).Weights, opened.Memory.Weights);
    }

    [Fact]
    public void What_its_weights_cannot_do_is_refused_with_what_would_do()
    {
        Write(QuantizationScheme.Int4);
        foreach (var options in (EngineOptions[])[new() { Runner = RunnerKind.Torch }, new() { Quantize = QuantizationScheme.Int8 }])
        {
            var refused = Assert.Throws<EngineOptionsException>(() => LoadedModel.Load(_folder.Path, options));
            Assert.Contains("packed as Int4", refused.Message, StringComparison.Ordinal);
            Assert.Contains("the checkpoint that it was made from", refused.Message, StringComparison.Ordinal);
        }

        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        using TemporaryFolder other = new();
        foreach (var action in (Action[])
            [() => LlavaModelLoader.Load(checkpoint), () => CheckpointCopy.WriteProjector(checkpoint, other.File("mm_projector.bin")), () => CheckpointCopy.Write(checkpoint, other.File("a")), () => PackedCheckpointWriter.Write(checkpoint, other.File("b"), QuantizationScheme.Int8)])
        {
            Assert.Contains("Use the checkpoint that it was made from", Assert.Throws<CheckpointException>(action).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_adapter_cannot_stand_on_packed_weights()
    {
        Write(QuantizationScheme.Int8);
        using TemporaryFolder adapter = new();
        File.WriteAllText(adapter.File("adapter_config.json"), $$"""{"base_model_name_or_path": "{{_folder.Path}}"}""");
        Assert.Contains("cannot be trained, merged", Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(adapter.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_short_or_of_another_model_is_refused()
    {
        Write(QuantizationScheme.Int8);
        _folder.Edit("config.json", json => json["intermediate_size"] = 4096);
        using (var checkpoint = CheckpointFolder.Open(_folder.Path))
        {
            Assert.Contains("'packed.layers.0.gate_up' is Byte of shape", Assert.Throws<CheckpointException>(() => PackedCheckpoint.Load(checkpoint, new EngineOptions())).Message, StringComparison.Ordinal);
        }

        _folder.Edit("config.json", json => json["num_hidden_layers"] = 1);
        Assert.Contains("has no use for", Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);

        using (var file = new FileStream(_folder.File("model.safetensors"), FileMode.Open))
        {
            file.SetLength(file.Length - 1000);
        }

        Assert.Contains("truncated or corrupt", Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tower_and_projector_are_packed_where_the_scheme_rounds_images_and_ordinary_tensors_where_it_does_not()
    {
        Write(QuantizationScheme.Int8);
        using TemporaryFolder other = new();
        using (var original = CheckpointFolder.Open(Shipped))
        {
            PackedCheckpointWriter.Write(original, other.Path, QuantizationScheme.Nf4);
        }

        using var rounded = CheckpointFolder.Open(_folder.Path);
        using var exact = CheckpointFolder.Open(other.Path);
        var images = rounded.Tensors.Where(tensor => ModelParameters.IsImageMatrix(tensor.Parameter)).ToList();
        Assert.All(images, tensor => Assert.True(tensor.IsPacked));
        Assert.Equal(images.Count, exact.Tensors.Count(tensor => ModelParameters.IsImageMatrix(tensor.Parameter) && !tensor.IsPacked));
        CheckpointCopy.WriteProjector(exact, other.File("mm_projector.bin"));
    }

    [Fact]
    public void The_threshold_of_outliers_is_kept()
    {
        _folder.With(Shipped);
        _folder.Edit("config.json", json => json["quantization_config"] = new System.Text.Json.Nodes.JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_8bit"] = true, ["llm_int8_threshold"] = 4.5 });
        using var original = CheckpointFolder.Open(_folder.Path);
        PackedCheckpointWriter.Write(original, _folder.File("packed"), QuantizationScheme.LlmInt8);
        using var written = CheckpointFolder.Open(_folder.File("packed"));
        Assert.Equal((4.5, 4.5), (original.Config.LanguageModel.OutlierThreshold, written.Config.LanguageModel.OutlierThreshold));
    }

    [Fact]
    public void Packed_matrices_begin_on_cache_lines()
    {
        Write(QuantizationScheme.Int4);
        using var checkpoint = CheckpointFolder.Open(_folder.Path);
        using var weights = PackedCheckpoint.Load(checkpoint, new EngineOptions());
        unsafe
        {
            Assert.All(weights.Layers, layer => Assert.Equal(0, (nint)layer.Down.PanelAt(0) % 64));
        }
    }

    private static unsafe byte[] Bytes(PackedMatrix matrix) => new ReadOnlySpan<byte>(matrix.PanelAt(0), (int)matrix.Bytes).ToArray();

    private static unsafe float[] Row(DecoderWeights weights, int token)
    {
        var row = new float[weights.Config.HiddenSize];
        fixed (float* target = row)
        {
            weights.Embeddings.Read(token, target);
        }

        return row;
    }

    private void Write(QuantizationScheme scheme)
    {
        using var original = CheckpointFolder.Open(Shipped);
        PackedCheckpointWriter.Write(original, _folder.Path, scheme);
    }
}
