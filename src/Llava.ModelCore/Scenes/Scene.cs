namespace Llava.ModelCore.Scenes;

/// <summary>
/// A drawn scene: one to a few coloured shapes on a plain background. Everything about it follows from its seed, so a
/// training set is a range of numbers.
/// </summary>
/// <param name="Seed">What it was made from.</param>
/// <param name="Objects">In reading order: row by row, left to right.</param>
/// <param name="Background">The background.</param>
public sealed record Scene(long Seed, IReadOnlyList<SceneObject> Objects, SceneBackground Background)
{
    /// <summary>First seed of the scenes that no training run sees; training seeds count up from 0.</summary>
    public const long FirstHeldOutSeed = 1_000_000_000_000_000;

    private const float SmallestRadius = 0.09f;
    private const float LargestRadius = 0.15f;
    private const float Cell = 1 / 3f;
    private const float Gap = 0.005f;

    /// <summary>Makes the scene of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="maxObjects">1 to 9; the scene has between one and this many objects.</param>
    public static Scene FromSeed(long seed, int maxObjects)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxObjects, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxObjects, 9);
        var random = SceneRandom.For(seed, SceneRandom.Purpose.Layout);
        var background = random.Pick(Enum.GetValues<SceneBackground>());
        // Colours and shapes come from a small palette of the scene's own, so that they repeat more often than chance
        // would have it and counting has something to count.
        var colors = Palette(random, Enum.GetValues<SceneColor>().Where(c => IsVisible(c, background)));
        var shapes = Palette(random, SceneShapes.Known);
        var cells = Enumerable.Range(0, 9).ToArray();
        random.Shuffle(cells);
        var objects = cells[..random.Next(1, maxObjects + 1)].Order()
            .Select(cell => Place(random, random.Pick(colors), random.Pick(shapes), cell));
        return new Scene(seed, [.. objects], background);
    }

    /// <summary>The name of a cell of the grid, as in "top left".</summary>
    public static string RegionOf(int cell) => Regions[cell];

    private static readonly string[] Regions =
        ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"];

    private static bool IsVisible(SceneColor color, SceneBackground background) => (color, background) is not
        ((SceneColor.White, SceneBackground.White) or (SceneColor.Black, SceneBackground.Black));

    private static T[] Palette<T>(Random random, IEnumerable<T> all)
    {
        var shuffled = all.ToArray();
        random.Shuffle(shuffled);
        return shuffled[..random.Next(1, shuffled.Length + 1)];
    }

    private static SceneObject Place(Random random, SceneColor color, SceneShape shape, int cell)
    {
        var radius = random.Between(SmallestRadius, LargestRadius);
        var slack = (Cell / 2) - radius - Gap;
        return new SceneObject(
            color,
            shape,
            cell,
            X: (((cell % 3) + 0.5f) * Cell) + random.Between(-slack, slack),
            Y: (((cell / 3) + 0.5f) * Cell) + random.Between(-slack, slack),
            radius,
            Rotation: random.Between(-8, 8));
    }
}
