using System.Text;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.Quantized;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tests.Parity;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>Checkpoints as bitsandbytes saves them: their numbers are those of case H, and a whole model of them is read like any other.</summary>
public sealed class BitsAndBytesTests : IDisposable
{
    // Of the manifest: "dequantised values atol 1e-6".
    private const double Tolerance = 1e-6;

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;
    private readonly SafeTensorsFile _oracle;

    public BitsAndBytesTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
        _oracle = SafeTensorsFile.Open(Path.Combine(FixtureFolder.Case("H"), "expected.safetensors"));
    }

    private static string Original => Directory.EnumerateDirectories(FixtureFolder.Case("B")).First(folder => File.Exists(Path.Combine(folder, "config.json")) && Layout(folder) == CheckpointLayout.LlavaOriginal);

    public void Dispose()
    {
        _oracle.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false, "nf4.dequant_rows")]
    [InlineData(true, "nf4dq.dequant_rows")]
    public void Four_bits_stand_for_the_numbers_of_the_oracle(bool isNested, string expected)
    {
        var shape = _oracle.Entry("weight_f16").Shape;
        Dictionary<string, Tensor> tensors = new()
        {
            ["x.weight"] = _oracle.Read("nf4.packed").view(-1, 1),
            ["x.weight.quant_map"] = _oracle.Read("nf4.codebook"),
            ["x.weight.absmax"] = _oracle.Read(isNested ? "nf4dq.absmax_index" : "nf4.absmax"),
            ["x.weight.quant_state.bitsandbytes__nf4"] = State(shape, "float32", isNested ? _oracle.ReadArray<float>("nf4dq.offset")[0] : null),
        };
        if (isNested)
        {
            tensors["x.weight.nested_absmax"] = _oracle.Read("nf4dq.absmax2");
            tensors["x.weight.nested_quant_map"] = _oracle.Read("nf4dq.dynamic_map");
        }

        using var read = Over(tensors);
        Assert.Equal(new TensorEntry("x.weight", ScalarType.Float32, shape), Assert.Single(read.Entries) with { Shape = shape });
        RequireRows(expected, read.Read("x.weight"));
    }

    // FP4's values: sign, two bits of exponent, one of fraction (2, 4, 8 and half as much again; 1/16 and 0 below), divided by the largest.
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public void Four_bits_of_FP4_stand_for_its_values_times_the_largest_of_their_block(int block)
    {
        float[] sizes = [0, 0.0625f, 8, 12, 4, 6, 2, 3];
        float[] book = [.. sizes.Select(size => size / 12), .. sizes.Select(size => -size / 12)];
        byte[] codes = [.. Enumerable.Range(0, 2 * 128).Select(i => (byte)(((i * 7) + (i / 16)) & 15))];
        float[] largest = [.. Enumerable.Range(1, codes.Length / block).Select(i => 0.5f * i)];
        using var read = Over(new()
        {
            ["x.weight"] = tensor(codes.Chunk(2).Select(pair => (byte)((pair[0] << 4) | pair[1])).ToArray()).view(-1, 1),
            ["x.weight.quant_map"] = tensor(book),
            ["x.weight.absmax"] = tensor(largest),
            ["x.weight.quant_state.bitsandbytes__fp4"] = State([2, 128], "float32", null, "fp4", block),
        });

        Assert.Equal(16, codes.Distinct().Count());
        Assert.Equal(codes.Select((code, i) => book[code] * largest[i / block]), read.Read("x.weight").data<float>().ToArray());
    }

    [Fact]
    public void Eight_bits_multiplied_as_bitsandbytes_does_are_its_own_integers_again()
    {
        using var read = Over(new() { ["x.weight"] = _oracle.Read("int8.weight_q"), ["x.SCB"] = _oracle.Read("int8.weight_rowmax") });
        var (rows, columns) = ((int)_oracle.Entry("int8.weight_q").Shape[0], (int)_oracle.Entry("int8.weight_q").Shape[1]);
        DecoderPart part = new("x", DecoderPartKind.Layer, columns, ("x.weight", rows));
        using WorkerPool pool = new(1);
        using var matrix = new DecoderPacking(QuantizationScheme.LlmInt8, read.Read, pool).Matrix(part);
        var (levels, largest) = (_oracle.ReadArray<sbyte>("int8.weight_q"), _oracle.ReadArray<float>("int8.weight_rowmax"));
        for (var i = 0; i < levels.Length; i++)
        {
            Assert.Equal(levels[i] * (largest[i / columns] / 127), matrix[i / columns, i % columns]);
        }
    }

    [Fact]
    public void Eight_bits_stand_for_the_numbers_of_the_oracle()
    {
        RequireRows("int8.weight_dequant_rows", BitsAndBytesTensors.RowsOf(_oracle.Read("int8.weight_q"), _oracle.Read("int8.weight_rowmax")));
        using var read = Over(new() { ["x.weight"] = _oracle.Read("int8.weight_q"), ["x.SCB"] = _oracle.Read("int8.weight_rowmax"), ["x.weight_format"] = zeros(1, ScalarType.Byte) });
        Assert.Equal(ScalarType.Float16, Assert.Single(read.Entries).Type);
        Assert.Equal(ScalarType.Float16, read.Read("x.weight").dtype);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_whole_checkpoint_is_read_as_the_numbers_that_it_stands_for(bool isFourBit)
    {
        using var original = CheckpointFolder.Open(Original);
        Dictionary<string, Tensor> tensors = [], expected = [];
        foreach (var tensor in original.Tensors)
        {
            var (name, value) = (tensor.Entry.Name, tensor.Read());
            if (!PackedHeader.HoldsLanguage(tensor.Parameter) || name.Contains("lm_head", StringComparison.Ordinal))
            {
                tensors[name] = expected[name] = value;
                continue;
            }

            expected[name] = isFourBit ? AddFourBit(tensors, name, value) : AddEightBit(tensors, name, value);
        }

        _folder.With(Original);
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*.bin*").Concat(Directory.EnumerateFiles(_folder.Path, "*.safetensors*")).ToList())
        {
            File.Delete(file);
        }

        Write(_folder.File("model.safetensors"), tensors);
        _folder.Edit("config.json", json => json["quantization_config"] = new System.Text.Json.Nodes.JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = isFourBit });

        using var read = CheckpointFolder.Open(_folder.Path, new CheckpointOptions { VisionTowerFolder = original.VisionTowerFolder });
        Assert.All(read.Tensors.Where(tensor => expected.ContainsKey(tensor.Entry.Name)), tensor => Assert.True(expected[tensor.Entry.Name].equal(tensor.Read()).all().item<bool>(), tensor.Entry.Name));
        using var model = LlavaModelLoader.Load(read);
    }

    [Fact]
    public void What_stands_beside_a_weight_has_to_be_understood()
    {
        var refused = Assert.Throws<CheckpointException>(() => Over(new() { ["x.weight"] = zeros(8, 1, ScalarType.Byte), ["x.weight.quant_state.bitsandbytes__nf4"] = tensor("{}"u8.ToArray()) }));
        Assert.Contains("is not what bitsandbytes saves beside a weight", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_that_do_not_belong_together_are_refused()
    {
        Dictionary<string, Tensor> tensors = [];
        AddFourBit(tensors, "x.weight", randn(8, 64, ScalarType.Float16));
        tensors["x.weight.absmax"] = zeros(7, ScalarType.Byte);
        using var fourBit = Over(tensors);
        Assert.Contains("a part of it has 7 values instead of 8", Assert.Throws<CheckpointException>(() => fourBit.Read("x.weight")).Message, StringComparison.Ordinal);

        using var eightBit = Over(new() { ["x.weight"] = zeros(4, 4, ScalarType.Int8), ["x.SCB"] = ones(3) });
        Assert.Contains("with 3 scales", Assert.Throws<CheckpointException>(() => eightBit.Read("x.weight")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.q_proj.qweight", "AWQ")]
    [InlineData("model.layers.0.self_attn.q_proj.g_idx", "GPTQ")]
    public void Other_programs_weights_are_known_by_their_tensors_where_the_config_is_silent(string name, string program)
    {
        Write(_folder.File("model.safetensors"), new() { ["model.embed_tokens.weight"] = zeros(4, 4), [name] = zeros(4, 4, ScalarType.Int32) });
        File.WriteAllText(_folder.File("config.json"), """{"model_type": "llama"}""");
        Assert.Contains($"weights that {program} quantized", Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private static CheckpointLayout Layout(string folder)
    {
        using var checkpoint = CheckpointFolder.Open(folder);
        return checkpoint.Layout;
    }

    private static Tensor AddFourBit(Dictionary<string, Tensor> tensors, string name, Tensor value)
    {
        var weight = Nf4Weight.Of(value);
        tensors[name] = weight.Packed.view(-1, 1);
        tensors[name + ".quant_map"] = Nf4.CodeBook();
        tensors[name + ".absmax"] = weight.MagnitudeCodes;
        tensors[name + ".nested_absmax"] = weight.MagnitudeScales;
        tensors[name + ".nested_quant_map"] = DynamicCode.Signed.Map(CPU);
        tensors[name + ".quant_state.bitsandbytes__nf4"] = State(value.shape, "float16", weight.Offset.item<float>());
        return weight.Dequantize(ScalarType.Float16);
    }

    private static Tensor AddEightBit(Dictionary<string, Tensor> tensors, string name, Tensor value)
    {
        var magnitudes = value.to(ScalarType.Float32).abs().amax([1]);
        var codes = value.to(ScalarType.Float32).mul(Scalars.Of(127)).div(magnitudes.view(-1, 1)).round().to(ScalarType.Int8);
        tensors[name] = codes;
        tensors[name[..^"weight".Length] + "SCB"] = magnitudes;
        return BitsAndBytesTensors.RowsOf(codes, magnitudes).to(ScalarType.Float16);
    }

    private static Tensor State(IReadOnlyList<long> shape, string type, float? offset, string code = "nf4", int block = 64) => tensor(Encoding.UTF8.GetBytes(
        $$"""{"quant_type": "{{code}}", "blocksize": {{block}}, "dtype": "{{type}}", "shape": [{{string.Join(", ", shape)}}]{{(offset is { } nested ? FormattableString.Invariant($", \"nested_blocksize\": 256, \"nested_dtype\": \"float32\", \"nested_offset\": {nested:R}") : "")}}}"""));

    private static void Write(string path, Dictionary<string, Tensor> tensors) =>
        SafeTensorsWriter.Write(path, [.. tensors.Select(pair => new TensorEntry(pair.Key, pair.Value.dtype, pair.Value.shape))], name => tensors[name]);

    private ITensorSource Over(Dictionary<string, Tensor> tensors)
    {
        Write(_folder.File("x.safetensors"), tensors);
        return BitsAndBytesTensors.Over(SafeTensorsFile.Open(_folder.File("x.safetensors")));
    }

    /// <summary>The oracle has the first rows.</summary>
    private void RequireRows(string start, Tensor actual)
    {
        var rows = _oracle.Entries.Single(entry => entry.Name.StartsWith(start, StringComparison.Ordinal));
        Close.Require(rows.Name, _oracle.Read(rows.Name), actual.narrow(0, 0, rows.Shape[0]), Tolerance);
    }
}
