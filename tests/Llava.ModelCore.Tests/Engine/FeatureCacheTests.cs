using Llava.ModelCore.Engine;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

public sealed class FeatureCacheTests
{
    private const int BytesPerImage = 8 * sizeof(float);
    private readonly Random _random = new(1);
    private int _encoded;

    public FeatureCacheTests() => TorchLibrary.EnsureLoaded();

    [Fact]
    public void An_image_is_encoded_once_and_known_by_its_content()
    {
        using var scope = NewDisposeScope();
        using var cache = new FeatureCache(2 * BytesPerImage);
        var image = Requests.Picture(_random);
        var (first, isHit) = Get(cache, image);
        Assert.False(isHit);
        (var second, isHit) = Get(cache, new ImageInput([.. image.Pixels], image.Side));
        Assert.True(isHit);
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void The_least_recently_used_leave_when_the_bytes_are_full()
    {
        using var scope = NewDisposeScope();
        using var cache = new FeatureCache((2 * BytesPerImage) + 1);
        var images = Enumerable.Range(0, 3).Select(_ => Requests.Picture(_random)).ToArray();
        Assert.Equal([false, false, true, false, true, false], new[] { 0, 1, 0, 2, 0, 1 }.Select(i => Get(cache, images[i]).IsHit));
    }

    [Fact]
    public void Features_in_use_survive_their_eviction_and_nothing_survives_the_cache()
    {
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
        using (var cache = new FeatureCache(BytesPerImage))
        {
            var (inUse, _) = Get(cache, Requests.Picture(_random));
            Get(cache, Requests.Picture(_random));
            Assert.Equal(Enumerable.Repeat(1f, 8), inUse.data<float>().ToArray());
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private (Tensor Features, bool IsHit) Get(FeatureCache cache, ImageInput image)
    {
        if (cache.Find(image) is { } known)
        {
            return (known, true);
        }

        var features = full([1, 8], Scalars.Of(++_encoded), ScalarType.Float32);
        cache.Keep(image, features);
        return (features, false);
    }
}
