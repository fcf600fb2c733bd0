using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

public sealed class ShardedTensorSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ShardedTensorSourceTests()
    {
        Native.TorchLibrary.EnsureLoaded();
        TensorEntry[] entries = [new("a", ScalarType.Float32, [2]), new("b", ScalarType.Float32, [2])];
        SafeTensorsWriter.WriteFolder(_folder.Path, entries, _ => ones(2), shardBytes: 8);
    }

    private string Index => _folder.File("model.safetensors.index.json");

    [Fact]
    public void A_missing_shard_is_named()
    {
        File.Delete(_folder.File("model-00002-of-00002.safetensors"));
        Assert.Contains("'model-00002-of-00002.safetensors', which is missing", Refusal());
    }

    [Fact]
    public void A_truncated_shard_is_named()
    {
        var shard = _folder.File("model-00002-of-00002.safetensors");
        File.WriteAllBytes(shard, File.ReadAllBytes(shard)[..^4]);
        Assert.Contains(shard, Refusal());
    }

    [Fact]
    public void A_tensor_that_its_shard_does_not_hold_is_named()
    {
        _folder.Edit("model.safetensors.index.json", json => json["weight_map"]!["c"] = "model-00001-of-00002.safetensors");
        Assert.Contains("'c' is in 'model-00001-of-00002.safetensors', but that file does not hold it", Refusal());
    }

    [Theory]
    [InlineData("../model-00001-of-00002.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/x.safetensors")]
    [InlineData(@"..\x.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void A_shard_outside_the_folder_is_refused(string file)
    {
        _folder.Edit("model.safetensors.index.json", json => json["weight_map"]!["a"] = file);
        Assert.Contains("must be the name of a file in the index's own folder", Refusal());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"weight_map": 3}""")]
    [InlineData("""{"weight_map": {"a": 3}}""")]
    [InlineData("not json")]
    public void An_index_of_another_form_is_refused(string json)
    {
        File.WriteAllText(Index, json);
        Assert.Contains("not an index of shards", Refusal());
    }

    public void Dispose() => _folder.Dispose();

    private string Refusal() => Assert.Throws<CheckpointException>(() => ShardedTensorSource.Open(Index)).Message;
}
