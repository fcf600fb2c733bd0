namespace Llava.ModelCore.Scenes;

/// <summary>A kind of question that the shipped model was never taught: whether two objects stand in one row. Fine-tuning is tried on it.</summary>
public static class SameRowQuestions
{
    /// <summary>What these questions are called in a file, where the others have their <see cref="SceneQuestionKind"/>.</summary>
    public const string Category = "same_row";

    /// <summary>A question on each two objects of a scene that have names of their own, in any order, and its answer.</summary>
    public static IReadOnlyList<(string Question, string Answer)> All(Scene scene)
    {
        var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Rows);
        var named = scene.Objects.Select(item => (Item: item, Name: SceneQuestions.NameOf(scene, item, random))).Where(one => one.Name is not null).ToArray();
        random.Shuffle(named);
        return [.. named.SelectMany((one, i) => named.Skip(i + 1).Select(other => (Ask(one.Name!, other.Name!, random), Word(one.Item.Row == other.Item.Row))))];
    }

    /// <summary>The answer that says so.</summary>
    internal static string Word(bool isSame) => isSame ? "yes" : "no";

    private static string Ask(string one, string other, Random random) => random.Pick(
        [$"Are the {one} and the {other} in the same row?", $"Is the {one} in the same row as the {other}?", $"Do the {one} and the {other} stand in one row?"]);
}
