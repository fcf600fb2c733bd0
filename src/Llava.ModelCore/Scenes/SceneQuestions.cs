using static Llava.ModelCore.Scenes.SceneLanguage;

namespace Llava.ModelCore.Scenes;

/// <summary>
/// Asks about a scene. A question is asked only where it has one right answer: an object is named by words that fit no
/// other object, and "left of" and the like are judged only where objects are clearly apart.
/// </summary>
public sealed class SceneQuestions
{
    // Same column, but this far apart (as a share of the side): some would call one of the two further left.
    private const float UnclearOffset = 0.07f;

    private static readonly SceneQuestionKind[] AllKinds = Enum.GetValues<SceneQuestionKind>();

    private readonly Scene _scene;
    private readonly Random _random;

    /// <summary>Questions on a scene; which ones follows from the scene's seed.</summary>
    public SceneQuestions(Scene scene) => (_scene, _random) = (scene, SceneRandom.For(scene.Seed, SceneRandom.Purpose.Questions));

    private enum Side
    {
        Left,
        Right,
        Above,
        Below,
    }

    /// <summary>One question of every kind that the scene allows.</summary>
    public IReadOnlyList<SceneQuestion> OneOfEach() =>
        [.. AllKinds.Select(kind => Enumerable.Range(0, 8).Select(_ => Ask(kind)).FirstOrDefault(q => q is not null)).OfType<SceneQuestion>()];

    /// <summary>Different questions until a budget is used up: a caption first, then kinds in proportion to their weights.</summary>
    /// <param name="budget">For example tokens.</param>
    /// <param name="cost">What one question takes of it.</param>
    public IReadOnlyList<SceneQuestion> Fill(int budget, Func<SceneQuestion, int> cost)
    {
        var questions = new List<SceneQuestion>();
        var used = 0;
        var caption = _random.Chance(0.5) ? SceneQuestionKind.Caption : SceneQuestionKind.DetailedCaption;
        for (var attempt = 0; attempt < 60 && used < budget - 12; attempt++)
        {
            var question = Ask(attempt == 0 ? caption : RandomKind());
            if (question is not null && !questions.Exists(q => q.Question == question.Question) && used + cost(question) <= budget)
            {
                used += cost(question);
                questions.Add(question);
            }
        }

        return questions;
    }

    /// <summary>A random question of the kind; null where the scene has no unambiguous one at hand.</summary>
    public SceneQuestion? Ask(SceneQuestionKind kind)
    {
        var item = _random.Pick(_scene.Objects);
        return kind switch
        {
            SceneQuestionKind.Caption => SceneCaptions.AskShort(_scene, _random),
            SceneQuestionKind.DetailedCaption => SceneCaptions.AskDetailed(_scene, _random),
            SceneQuestionKind.Color => AskColor(item),
            SceneQuestionKind.Shape => AskShape(item),
            SceneQuestionKind.Count => AskCount(item),
            SceneQuestionKind.Existence => AskExistence(item),
            SceneQuestionKind.Position => AskPosition(item),
            SceneQuestionKind.Content => AskContent(item),
            SceneQuestionKind.Neighbor => AskNeighbor(item),
            SceneQuestionKind.Relation => AskRelation(item),
            _ => new SceneQuestion(
                kind,
                OneOf("What color is the background?", "What is the color of the background?", "Which color is the background?"),
                Word(_scene.Background)),
        };
    }

    private SceneQuestionKind RandomKind() => _random.NextDouble() switch
    {
        < 0.13 => SceneQuestionKind.Color,
        < 0.25 => SceneQuestionKind.Shape,
        < 0.41 => SceneQuestionKind.Count,
        < 0.54 => SceneQuestionKind.Existence,
        < 0.66 => SceneQuestionKind.Position,
        < 0.74 => SceneQuestionKind.Content,
        < 0.86 => SceneQuestionKind.Neighbor,
        < 0.97 => SceneQuestionKind.Relation,
        _ => SceneQuestionKind.Background,
    };

    private SceneQuestion? AskColor(SceneObject item)
    {
        var name = IsOnly(o => o.Shape == item.Shape) ? Word(item.Shape)
            : _random.Chance(0.5) ? "object " + Place(item.Cell) : null;
        return name is null ? null : About(
            name,
            o => o == item,
            SceneQuestionKind.Color,
            OneOf($"What color is the {name}?", $"What is the color of the {name}?", $"Which color is the {name}?", $"Tell me the color of the {name}."),
            Word(item.Color));
    }

    private SceneQuestion? AskShape(SceneObject item)
    {
        var name = IsOnly(o => o.Color == item.Color) ? Word(item.Color) + " object"
            : _random.Chance(0.5) ? "object " + Place(item.Cell) : null;
        return name is null ? null : About(
            name,
            o => o == item,
            SceneQuestionKind.Shape,
            OneOf($"What shape is the {name}?", $"What is the shape of the {name}?", $"Which shape is the {name}?", $"Tell me the shape of the {name}."),
            Word(item.Shape));
    }

    private SceneQuestion AskCount(SceneObject item)
    {
        // One time in six about a colour or shape that need not be there.
        var color = _random.Next(6) == 0 ? _random.Pick(Enum.GetValues<SceneColor>()) : item.Color;
        var shape = _random.Next(6) == 0 ? _random.Pick(SceneShapes.Known) : item.Shape;
        (string, Func<SceneObject, bool>) counted = _random.Next(5) switch
        {
            0 => ("objects", _ => true),
            1 => ("shapes", _ => true),
            2 => (Word(color) + " objects", o => o.Color == color),
            3 => (Plural(Word(shape)), o => o.Shape == shape),
            _ => (Plural($"{Word(item.Color)} {Word(shape)}"), o => (o.Color, o.Shape) == (item.Color, shape)),
        };
        var (what, fits) = counted;
        return About(
            what,
            fits,
            SceneQuestionKind.Count,
            OneOf($"How many {what} are there?", $"How many {what} are in the image?", $"Count the {what}."),
            _scene.Objects.Count(fits).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private SceneQuestion AskExistence(SceneObject item)
    {
        var wanted = _random.Chance(0.5);
        var (noun, fits) = Sought(item, wanted);
        for (var attempt = 0; attempt < 8 && _scene.Objects.Any(fits) != wanted; attempt++)
        {
            (noun, fits) = Sought(item, wanted);
        }

        var a = Indefinite(noun);
        return About(
            noun,
            fits,
            SceneQuestionKind.Existence,
            OneOf($"Is there {a}?", $"Is there {a} in the image?", $"Does the image show {a}?", $"Can you see {a}?", $"Do you see {a}?"),
            _scene.Objects.Any(fits) ? "yes" : "no");
    }

    /// <summary>The object itself, or something that differs from it in one word only, which is what makes the question worth asking.</summary>
    private (string Noun, Func<SceneObject, bool> Fits) Sought(SceneObject item, bool isThere)
    {
        var (color, shape) = isThere ? (item.Color, item.Shape) : _random.Next(4) switch
        {
            0 => (item.Color, _random.Pick(_scene.Objects).Shape),
            1 or 2 => (item.Color, _random.Pick(SceneShapes.Known)),
            _ => (_random.Pick(Enum.GetValues<SceneColor>()), item.Shape),
        };
        return _random.Next(5) switch
        {
            0 => (Word(shape), o => o.Shape == shape),
            1 => (Word(color) + " object", o => o.Color == color),
            _ => ($"{Word(color)} {Word(shape)}", o => (o.Color, o.Shape) == (color, shape)),
        };
    }

    private SceneQuestion? AskPosition(SceneObject item) => NameOf(item) is { } name
        ? About(name, o => o == item, SceneQuestionKind.Position, OneOf($"Where is the {name}?", $"Where in the image is the {name}?"), Place(item.Cell))
        : null;

    private SceneQuestion AskContent(SceneObject item)
    {
        var cell = _random.Next(4) == 0 ? _random.Next(9) : item.Cell;
        var there = _scene.Objects.FirstOrDefault(o => o.Cell == cell);
        return About(
            Place(cell),
            o => o.Cell == cell,
            SceneQuestionKind.Content,
            OneOf($"What is {Place(cell)}?", $"What do you see {Place(cell)}?", $"Which object is {Place(cell)}?"),
            there is null ? "nothing" : Indefinite(Name(there)));
    }

    private SceneQuestion? AskNeighbor(SceneObject item)
    {
        var side = _random.Pick(Enum.GetValues<Side>());
        var there = _scene.Objects.Where(o => Is(o, side, item) == true).ToArray();
        if (NameOf(item) is not { } name || there.Length > 1 || _scene.Objects.Any(o => o != item && Is(o, side, item) is null))
        {
            return null;
        }

        // "Nothing" would otherwise be the answer most of the time.
        return there.Length == 0 && _random.Chance(0.6) ? null : About(
            name,
            o => o == item,
            SceneQuestionKind.Neighbor,
            OneOf($"What is {Phrase(side)} the {name}?", $"Which object is {Phrase(side)} the {name}?"),
            there.Length == 0 ? "nothing" : Indefinite(Name(there[0])));
    }

    private SceneQuestion? AskRelation(SceneObject item)
    {
        var other = _random.Pick(_scene.Objects);
        var side = _random.Pick(Enum.GetValues<Side>());
        if (other == item || NameOf(item) is not { } name || NameOf(other) is not { } otherName || Is(item, side, other) is not { } answer)
        {
            return null;
        }

        // Objects in one line are on neither side: "no" would otherwise be the answer most of the time.
        if (!answer && Is(other, side, item) == false && _random.Chance(0.7))
        {
            return null;
        }

        var question = $"Is the {name} {Phrase(side)} the {otherName}?";
        var about = About(otherName, o => o == other, SceneQuestionKind.Relation, question, answer ? "yes" : "no");
        return about with { Mentions = [new SceneMention("Is the ".Length + name.Length, [item]), .. about.Mentions] };
    }

    /// <summary>Whether <paramref name="item"/> is on that side of <paramref name="other"/>; null where people could disagree.</summary>
    private static bool? Is(SceneObject item, Side side, SceneObject other)
    {
        var isAcross = side is Side.Left or Side.Right;
        var steps = isAcross ? item.Column - other.Column : item.Row - other.Row;
        var offset = isAcross ? item.X - other.X : item.Y - other.Y;
        if (steps == 0)
        {
            return Math.Abs(offset) < UnclearOffset ? false : null;
        }

        return side is Side.Left or Side.Above ? steps < 0 : steps > 0;
    }

    private static string Phrase(Side side) => side switch
    {
        Side.Left => "to the left of",
        Side.Right => "to the right of",
        Side.Above => "above",
        _ => "below",
    };

    private SceneQuestion About(string words, Func<SceneObject, bool> fits, SceneQuestionKind kind, string question, string answer) => new(kind, question, answer)
    {
        Mentions = [new SceneMention(question.LastIndexOf(words, StringComparison.Ordinal) + words.Length, [.. _scene.Objects.Where(fits)])],
    };

    /// <summary>Words that fit this object and no other; null where there are none.</summary>
    internal static string? NameOf(Scene scene, SceneObject item, Random random)
    {
        string[] names =
        [
            .. IsOnly(scene, o => (o.Color, o.Shape) == (item.Color, item.Shape)) ? new[] { Name(item) } : [],
            .. IsOnly(scene, o => o.Shape == item.Shape) ? new[] { Word(item.Shape) } : [],
            .. IsOnly(scene, o => o.Color == item.Color) ? new[] { Word(item.Color) + " object" } : [],
        ];
        return names.Length == 0 ? null : random.Pick(names);
    }

    private static bool IsOnly(Scene scene, Func<SceneObject, bool> fits) => scene.Objects.Count(fits) == 1;

    private string? NameOf(SceneObject item) => NameOf(_scene, item, _random);

    private bool IsOnly(Func<SceneObject, bool> fits) => IsOnly(_scene, fits);

    private string OneOf(params string[] phrasings) => _random.Pick(phrasings);
}
