namespace Llava.ModelCore.Scenes;

/// <summary>
/// What is known about the objects that words of a question speak of: how many there are and, of an only one, its colour,
/// shape and cell. The language model is asked for them at those words while it is trained, as the tower is at each patch.
/// </summary>
public static class SceneMentionLabels
{
    /// <summary>Label of what cannot be said; no loss is taken there.</summary>
    public const long Unknown = -100;

    /// <summary>Name and number of classes of each label.</summary>
    public static IReadOnlyList<(string Name, int Classes)> Kinds { get; } =
    [
        ("count", 10),
        ("color", Enum.GetValues<SceneColor>().Length),
        ("shape", SceneShapes.Known.Count),
        ("cell", 9),
    ];

    /// <summary>Labels of a mention, one per kind.</summary>
    public static long[] Of(SceneMention mention) => mention.Objects is [var only]
        ? [1, (long)only.Color, (long)only.Shape, only.Cell]
        : [mention.Objects.Count, Unknown, Unknown, Unknown];
}
