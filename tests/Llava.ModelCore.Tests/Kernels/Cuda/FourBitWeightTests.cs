using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class FourBitWeightTests : IDisposable
{
    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();

    public FourBitWeightTests() => TorchLibrary.EnsureLoaded();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(false, 1, 32)]
    [InlineData(false, 9, 1120)]
    [InlineData(true, 1, 64)]
    [InlineData(true, 9, 1152)]
    public void Products_and_weights_are_those_of_the_rounded_numbers(bool isNf4, int rows, int columns)
    {
        var (codes, scales, values) = isNf4 ? NormalFloats(rows, columns) : Integers(rows, columns);
        using DeviceMemory<byte> codeMemory = new(codes), scaleMemory = new(scales);
        FourBitWeight weight = new(codeMemory, scaleMemory, rows, columns, isNf4);

        using DeviceMemory<ushort> plain = new(rows * columns);
        _device.InEveryOrder(() => weight.Dequantize(_device.Kernels, plain), plain);
        DeviceNumbers.AssertClose(values, plain.Span, $"weights, {_numbers}");

        foreach (var tokens in (int[])[1, 7, FourBitWeight.MaxTokens])
        {
            var input = _numbers.Ordinary(tokens * columns);
            using var inputMemory = DeviceNumbers.Half(input);
            using DeviceMemory<ushort> output = new(tokens * rows);
            _device.InEveryOrder(() => weight.Multiply(_device.Kernels, inputMemory, output, tokens), output);
            var expected = from token in Enumerable.Range(0, tokens)
                           from row in Enumerable.Range(0, rows)
                           select Enumerable.Range(0, columns).Sum(column => input[(token * columns) + column] * values[(row * columns) + column]);
            DeviceNumbers.AssertClose([.. expected], output.Span, $"{tokens} tokens, {_numbers}", smallest: 1e-3);
        }
    }

    [Fact]
    public void Columns_that_are_no_whole_groups_and_too_many_tokens_are_refused()
    {
        FourBitWeight ragged = new(0, 0, 1, 96, IsNf4: true);
        Assert.Throws<ArgumentOutOfRangeException>(() => ragged.Multiply(_device.Kernels, 0, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ragged.Dequantize(_device.Kernels, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => (ragged with { Columns = 64 }).Multiply(_device.Kernels, 0, 0, 9));
    }

    private (byte[] Codes, byte[] Scales, double[] Values) Integers(int rows, int columns)
    {
        List<byte> codes = [], scales = [];
        List<double> values = [];
        var levels = new short[Panel.Group];
        foreach (var group in _numbers.Ordinary(rows * columns).Chunk(Panel.Group))
        {
            var scale = GroupRounding.Round(group, WeightFormat.Int4, levels);
            scales.AddRange(BitConverter.GetBytes(scale));
            codes.AddRange(levels.Chunk(2).Select(pair => (byte)(((pair[0] + 8) << 4) | (pair[1] + 8))));
            values.AddRange(levels.Select(level => (double)level * BFloat16Bits.ToSingle(scale)));
        }

        return ([.. codes], [.. scales], [.. values]);
    }

    private (byte[] Codes, byte[] Scales, double[] Values) NormalFloats(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var (packed, magnitudes) = Nf4.Quantize(tensor(_numbers.Ordinary(rows * columns)));
        byte[] codes = packed.data<byte>().ToArray();
        float[] scales = magnitudes.data<float>().ToArray(), book = Nf4.CodeBook().data<float>().ToArray();
        var values = codes.SelectMany(pair => new[] { pair >> 4, pair & 15 }).Select((code, i) => (double)book[code] * scales[i / Nf4.Block]);
        return (codes, [.. scales.SelectMany(BitConverter.GetBytes)], [.. values]);
    }
}
