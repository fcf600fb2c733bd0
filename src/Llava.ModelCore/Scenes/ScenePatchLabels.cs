namespace Llava.ModelCore.Scenes;

/// <summary>
/// What a generator knows and a photograph does not: labels for every patch of a scene. The vision tower is pre-trained
/// on them, in place of CLIP's contrastive pre-training.
/// </summary>
public static class ScenePatchLabels
{
    private static readonly int Colors = Enum.GetValues<SceneColor>().Length;
    private static readonly int Shapes = SceneShapes.Known.Count;

    /// <summary>Name and number of classes of each label. Class 0 of a label with <c>HasNone</c> means that no object covers the patch.</summary>
    public static IReadOnlyList<(string Name, int Classes, bool HasNone)> Kinds { get; } =
    [
        ("color", Colors + 1, true),
        ("shape", Shapes + 1, true),
        ("color and shape", (Colors * Shapes) + 1, true),
        ("cell", 10, true),
        ("background", Enum.GetValues<SceneBackground>().Length, false),
        ("row", Grid.MaxPatches, false),
        ("column", Grid.MaxPatches, false),
    ];

    /// <summary>Labels of all patches, (patches, kinds), patches in row-major order.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="patchesPerSide">At most 8.</param>
    public static long[] Of(Scene scene, int patchesPerSide)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(patchesPerSide, Grid.MaxPatches);
        var labels = new long[patchesPerSide * patchesPerSide * Kinds.Count];
        for (var patch = 0; patch < patchesPerSide * patchesPerSide; patch++)
        {
            var (row, column) = (patch / patchesPerSide, patch % patchesPerSide);
            Label(scene, row, column, patchesPerSide, labels.AsSpan(patch * Kinds.Count, Kinds.Count));
        }

        return labels;
    }

    private static void Label(Scene scene, int row, int column, int patchesPerSide, Span<long> labels)
    {
        (labels[4], labels[5], labels[6]) = ((long)scene.Background, row, column);
        // An object covers a patch when its box, widened by a quarter of a patch, holds the patch's centre.
        var (x, y, margin) = ((column + 0.5f) / patchesPerSide, (row + 0.5f) / patchesPerSide, 0.25f / patchesPerSide);
        foreach (var item in scene.Objects)
        {
            if (Math.Max(Math.Abs(x - item.X), Math.Abs(y - item.Y)) <= item.Radius + margin)
            {
                labels[0] = 1 + (long)item.Color;
                labels[1] = 1 + (long)item.Shape;
                labels[2] = 1 + ((long)item.Color * Shapes) + (long)item.Shape;
                labels[3] = 1 + item.Cell;
            }
        }
    }

    private static class Grid
    {
        public const int MaxPatches = 8;
    }
}
