using System.Text;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

public sealed class SafeTensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("x.safetensors");

    [Fact]
    public void What_the_writer_writes_the_reader_reads()
    {
        Native.TorchLibrary.EnsureLoaded();
        using var scope = TorchSharp.torch.NewDisposeScope();
        var values = new Dictionary<string, Tensor>
        {
            ["a"] = randn(3, 5),
            ["b"] = randn(7).to(ScalarType.BFloat16),
            ["transposed"] = randn(4, 6).t(),
            ["none"] = empty(0, 7),
            ["scalar"] = tensor(2.5f),
            ["ids"] = arange(Scalars.OfInteger(9)),
        };
        SafeTensorsWriter.Write(Target, [.. values.Select(v => new TensorEntry(v.Key, v.Value.dtype, v.Value.shape))], name => values[name]);
        using var file = SafeTensorsFile.Open(Target);
        Assert.Equal(values.Keys, file.Entries.Select(e => e.Name));
        Assert.All(values, v => Assert.True(file.Read(v.Key).equal(v.Value).all().item<bool>()));
        Assert.All(values, v => Assert.Equal(v.Value.shape, file.Read(v.Key).shape));
    }

    [Fact]
    public void Weights_larger_than_a_shard_are_split_and_indexed()
    {
        Native.TorchLibrary.EnsureLoaded();
        TensorEntry[] entries = [.. Enumerable.Range(0, 5).Select(i => new TensorEntry($"t{i}", ScalarType.Float32, [4, 4]))];
        SafeTensorsWriter.WriteFolder(_folder.Path, entries, name => full([4, 4], Scalars.OfInteger(name[1] - '0')), shardBytes: 2 * 64);

        Assert.Equal(_folder.File("model.safetensors.index.json"), TensorContainer.FindIn(_folder.Path));
        Assert.Equal(3, Directory.EnumerateFiles(_folder.Path, "model-0000?-of-00003.safetensors").Count());
        using var source = TensorContainer.Open(TensorContainer.FindIn(_folder.Path)!);
        Assert.Equal(entries.Select(e => e.Name), source.Entries.Select(e => e.Name));
        Assert.All(entries, e => Assert.Equal(e.Name[1] - '0', source.Read(e.Name).mean().item<float>()));
    }

    [Theory]
    [InlineData("""{"t":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 12, "claims bytes")] // truncated
    [InlineData("""{"t":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}}""", 12, "claims bytes")] // shape contradicts
    [InlineData("""{"t":{"dtype":"F32","shape":[-4,-1],"data_offsets":[0,16]}}""", 16, "claims bytes")]
    [InlineData("""{"t":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}""", 16, "claims bytes")]
    [InlineData("""{"t":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,16]}}""", 16, "not safetensors JSON")]
    [InlineData("""{"t":{"dtype":"F4","shape":[4],"data_offsets":[0,16]}}""", 16, "dtype 'F4'")]
    [InlineData("""{"t":{"shape":[4],"data_offsets":[0,16]}}""", 16, "not safetensors JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "without gap or overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "without gap or overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "its tensors end at")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "twice")]
    [InlineData("""{"t":{""", 0, "not safetensors JSON")]
    [InlineData("[]", 0, "not safetensors JSON")]
    public void A_header_that_contradicts_the_file_is_refused(string header, int dataBytes, string says)
    {
        File.WriteAllBytes(Target, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[dataBytes]]);
        var error = Assert.Throws<CheckpointException>(() => SafeTensorsFile.Open(Target));
        Assert.Contains(says, error.Message);
        Assert.Contains(Target, error.Message);
    }

    [Fact]
    public void A_header_length_beyond_the_file_is_refused()
    {
        File.WriteAllBytes(Target, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, (byte)'{', (byte)'}']);
        Assert.Contains("truncated or not a safetensors file", Assert.Throws<CheckpointException>(() => SafeTensorsFile.Open(Target)).Message);
        File.WriteAllBytes(Target, [1, 2, 3]);
        Assert.Contains("3 bytes", Assert.Throws<CheckpointException>(() => SafeTensorsFile.Open(Target)).Message);
    }

    [Fact]
    public void A_tensor_larger_than_one_copy_is_read_whole()
    {
        const int Size = (64 << 20) + 3;
        var header = $$$"""{"t":{"dtype":"U8","shape":[{{{Size}}}],"data_offsets":[0,{{{Size}}}]}}""";
        using (var stream = File.Create(Target))
        {
            stream.Write([.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header)]);
            // A hole: the file takes no space.
            stream.SetLength(stream.Position + Size);
            stream.Seek(-2, SeekOrigin.End);
            stream.Write([7, 9]);
        }

        using var file = SafeTensorsFile.Open(Target);
        using var tensor = file.Read("t");
        using var end = tensor.narrow(0, Size - 3, 3);
        Assert.Equal([0, 7, 9], end.data<byte>().ToArray());
    }

    [Fact]
    public void A_failed_write_leaves_nothing_behind()
    {
        Native.TorchLibrary.EnsureLoaded();
        Assert.Throws<CheckpointException>(() => SafeTensorsWriter.Write(Target, [new TensorEntry("t", ScalarType.Float32, [3])], _ => zeros(4)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();
}
