using System.Collections.Concurrent;
using System.Security.Cryptography;
using Llava.GpuConsumer.Reuse;
using Llava.GpuConsumer.Runners;

namespace Llava.GpuConsumer.Tests;

public sealed class KeptImagesTests
{
    private readonly CountingImages _source = new();

    [Fact]
    public async Task An_image_that_was_hashed_is_read_once()
    {
        KeptImages images = new(_source);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(CountingImages.BytesOf("a"))), await images.HashAsync("a", default));
        Assert.Equal(CountingImages.BytesOf("a"), await images.ReadAsync("a", default));
        Assert.Equal(CountingImages.BytesOf("b"), await images.ReadAsync("b", default));

        Assert.Equal([("a", 1), ("b", 1)], _source.Read.OrderBy(image => image.Key).Select(image => (image.Key, image.Value)));
    }

    [Fact]
    public async Task Beyond_the_limit_and_once_let_go_an_image_is_read_again_with_the_same_bytes()
    {
        KeptImages images = new(_source, mostBytes: 2 * CountingImages.Size);
        foreach (var image in (string[])["a", "b", "c"])
        {
            await images.HashAsync(image, default);
        }

        images.KeepOnly(new HashSet<string> { "a", "c" });
        foreach (var image in (string[])["a", "b", "c"])
        {
            Assert.Equal(CountingImages.BytesOf(image), await images.ReadAsync(image, default));
        }

        Assert.Equal([("a", 1), ("b", 2), ("c", 2)], _source.Read.OrderBy(image => image.Key).Select(image => (image.Key, image.Value)));
    }

    /// <summary>Images whose bytes follow from their names.</summary>
    private sealed class CountingImages : IImageBytes
    {
        public const int Size = 100;

        public ConcurrentDictionary<string, int> Read { get; } = [];

        public static byte[] BytesOf(string image) => [.. Enumerable.Repeat((byte)image[0], Size)];

        public Task<byte[]> ReadAsync(string image, CancellationToken cancellation)
        {
            Read.AddOrUpdate(image, 1, (_, times) => times + 1);
            return Task.FromResult(BytesOf(image));
        }
    }
}
