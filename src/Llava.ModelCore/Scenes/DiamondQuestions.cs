using static Llava.ModelCore.Scenes.SceneLanguage;

namespace Llava.ModelCore.Scenes;

/// <summary>Scenes with a shape that the shipped model has never seen, and what can be asked about it. Fine-tuning is tried on it.</summary>
public static class DiamondQuestions
{
    /// <summary>What these questions are called in a file, where the others have their <see cref="SceneQuestionKind"/>.</summary>
    public const string Category = "diamond";

    /// <summary>The scene with one of its objects turned into a diamond.</summary>
    public static Scene WithDiamond(Scene scene)
    {
        var turned = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Rows).Pick(scene.Objects);
        return scene with { Objects = [.. scene.Objects.Select(item => item == turned ? item with { Shape = SceneShape.Diamond } : item)] };
    }

    /// <summary>Every question about the diamond of a scene, and its answer; without a diamond the one whether there is any.</summary>
    public static IReadOnlyList<(string Question, string Answer)> All(Scene scene)
    {
        var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Questions);
        var isThere = random.Pick(["Is there a diamond?", "Does the image show a diamond?", "Can you see a diamond?"]);
        if (scene.Objects.SingleOrDefault(item => item.Shape == SceneShape.Diamond) is not { } diamond)
        {
            return [(isThere, "no")];
        }

        var place = Place(diamond.Cell);
        var name = scene.Objects.Count(item => item.Color == diamond.Color) == 1 ? Word(diamond.Color) + " object" : "object " + place;
        return
        [
            (isThere, "yes"),
            (random.Pick([$"What shape is the {name}?", $"Which shape is the {name}?"]), Word(diamond.Shape)),
            (random.Pick(["What color is the diamond?", "Which color is the diamond?"]), Word(diamond.Color)),
            ("Where is the diamond?", place),
            (random.Pick([$"What is {place}?", $"Which object is {place}?"]), Indefinite(Name(diamond))),
        ];
    }
}
