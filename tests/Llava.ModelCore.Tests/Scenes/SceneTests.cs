using Llava.ModelCore.Imaging;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneTests
{
    private const int Side = 112;

    public static TheoryData<long> SomeSeeds => [0, 1, 2, 77, 4096, Scene.FirstHeldOutSeed, Scene.FirstHeldOutSeed + 5];

    [Theory]
    [MemberData(nameof(SomeSeeds))]
    public void A_seed_always_gives_the_same_scene_and_pixels(long seed)
    {
        var (first, second) = (Scene.FromSeed(seed, 4), Scene.FromSeed(seed, 4));

        Assert.Equal(first.Objects, second.Objects);
        Assert.Equal(first.Background, second.Background);
        Assert.Equal(ScenePixels.ForTraining(first, Side).Pixels, ScenePixels.ForTraining(second, Side).Pixels);
        Assert.Equal(new SceneQuestions(first).OneOfEach().Select(Words), new SceneQuestions(second).OneOfEach().Select(Words));
    }

    [Fact]
    public void Neighbouring_seeds_give_different_scenes()
    {
        var layouts = Enumerable.Range(0, 200).Select(seed => string.Join(' ', Scene.FromSeed(seed, 4).Objects)).ToHashSet();

        Assert.Equal(200, layouts.Count);
    }

    [Fact]
    public void Objects_lie_inside_the_image_and_never_touch()
    {
        foreach (var scene in Enumerable.Range(0, 500).Select(seed => Scene.FromSeed(seed, 9)))
        {
            Assert.All(scene.Objects, o => Assert.True(
                Math.Min(o.X, o.Y) - o.Radius > 0 && Math.Max(o.X, o.Y) + o.Radius < 1, $"{o} of scene {scene.Seed} leaves the image."));
            foreach (var (a, b) in scene.Objects.SelectMany((a, i) => scene.Objects.Skip(i + 1).Select(b => (a, b))))
            {
                Assert.True(Math.Max(Math.Abs(a.X - b.X), Math.Abs(a.Y - b.Y)) > a.Radius + b.Radius, $"{a} and {b} of scene {scene.Seed} overlap.");
            }
        }
    }

    [Fact]
    public void Every_object_stands_out_from_the_background()
    {
        foreach (var scene in Enumerable.Range(0, 200).Select(seed => Scene.FromSeed(seed, 4)))
        {
            var rgb = ScenePixels.Draw(scene, Side, SceneStyle.Plain).Pixels;
            Assert.All(scene.Objects, o => Assert.True(Contrast(rgb, o) > 30, $"{o} of scene {scene.Seed} cannot be seen."));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_scene_drawn_larger_and_scaled_down_looks_the_same(int scale)
    {
        var preprocessor = new ClipPreprocessor(PreprocessorConfig.ForSide(Side));
        foreach (var scene in Enumerable.Range(0, 20).Select(seed => Scene.FromSeed(seed, 4)))
        {
            var plain = ScenePixels.Draw(scene, Side, SceneStyle.Plain).Pixels;
            var large = ScenePixels.Draw(scene, Side, SceneStyle.Plain with { Scale = scale });
            var scaled = preprocessor.ResizeAndCrop(large, ImageAspect.Pad).Pixels;

            var difference = plain.Zip(scaled, (a, b) => Math.Abs(a - b)).Average();
            Assert.InRange(difference, 0, 2);
        }
    }

    [Fact]
    public void Patch_labels_name_the_object_at_its_own_centre()
    {
        const int patches = 8;
        var kinds = ScenePatchLabels.Kinds.Count;
        foreach (var scene in Enumerable.Range(0, 100).Select(seed => Scene.FromSeed(seed, 6)))
        {
            var labels = ScenePatchLabels.Of(scene, patches);
            foreach (var item in scene.Objects)
            {
                var patch = ((int)(item.Y * patches) * patches) + (int)(item.X * patches);
                Assert.Equal(1 + (long)item.Color, labels[patch * kinds]);
                Assert.Equal(1 + (long)item.Shape, labels[(patch * kinds) + 1]);
                Assert.Equal(1 + item.Cell, labels[(patch * kinds) + 3]);
            }
        }
    }

    private static string Words(SceneQuestion question) => question.Question + question.Answer;

    /// <summary>Largest channel difference between the corner pixel and any pixel of the object's box.</summary>
    private static int Contrast(byte[] rgb, SceneObject item)
    {
        var (left, right) = ((int)((item.X - item.Radius) * Side), (int)((item.X + item.Radius) * Side));
        var (top, bottom) = ((int)((item.Y - item.Radius) * Side), (int)((item.Y + item.Radius) * Side));
        return (from y in Enumerable.Range(top, bottom - top)
                from x in Enumerable.Range(left, right - left)
                from c in Enumerable.Range(0, 3)
                select Math.Abs(rgb[(((y * Side) + x) * 3) + c] - rgb[c])).Max();
    }
}
