namespace Llava.ModelCore.Scenes;

/// <summary>A kind of question that the shipped model was never taught: whether two objects stand in one row. Fine-tuning is tried on it.</summary>
public static class SameRowQuestions
{
    /// <summary>What these questions are called in a file, where the others have their <see cref="SceneQuestionKind"/>.</summary>
    public const string Category = "same_row";

    /// <summary>A question on a scene and its answer; null where no two objects have names of their own.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="wanted">The answer that is preferred where the scene has both.</param>
    public static (string Question, string Answer)? Ask(Scene scene, bool wanted)
    {
        var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Rows);
        var named = scene.Objects.Select(item => (Item: item, Name: NameOf(scene, item, random))).Where(one => one.Name is not null).ToArray();
        random.Shuffle(named);
        var pairs = named.SelectMany((first, i) => named.Skip(i + 1).Select(second => (first, second))).OrderByDescending(pair => IsSameRow(pair.first.Item, pair.second.Item) == wanted).ToList();
        if (pairs is not [var (one, other), ..])
        {
            return null;
        }

        var (a, b) = (one.Name, other.Name);
        string[] phrasings = [$"Are the {a} and the {b} in the same row?", $"Is the {a} in the same row as the {b}?", $"Do the {a} and the {b} stand in one row?"];
        return (random.Pick(phrasings), Word(IsSameRow(one.Item, other.Item)));
    }

    /// <summary>The answer that says so.</summary>
    internal static string Word(bool isSame) => isSame ? "yes" : "no";

    private static bool IsSameRow(SceneObject one, SceneObject other) => one.Row == other.Row;

    private static string? NameOf(Scene scene, SceneObject item, Random random)
    {
        (bool IsOnly, string Name)[] names =
        [
            (scene.Objects.Count(o => (o.Color, o.Shape) == (item.Color, item.Shape)) == 1, SceneLanguage.Name(item)),
            (scene.Objects.Count(o => o.Shape == item.Shape) == 1, SceneLanguage.Word(item.Shape)),
            (scene.Objects.Count(o => o.Color == item.Color) == 1, SceneLanguage.Word(item.Color) + " object"),
        ];
        string[] only = [.. names.Where(name => name.IsOnly).Select(name => name.Name)];
        return only.Length == 0 ? null : random.Pick(only);
    }
}
