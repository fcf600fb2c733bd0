using System.Text.RegularExpressions;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Tests.Scenes;

/// <summary>Every question is read back from its words alone and answered again by looking at the objects.</summary>
public sealed partial class SceneQuestionsTests
{
    private static readonly string[] Regions =
        ["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"];

    [Fact]
    public void Every_answer_follows_from_the_question_and_the_scene()
    {
        var asked = new HashSet<SceneQuestionKind>();
        foreach (var scene in Enumerable.Range(0, 400).Select(seed => Scene.FromSeed(seed, 4)))
        {
            var questions = new SceneQuestions(scene);
            foreach (var question in questions.OneOfEach().Concat(questions.Fill(100, _ => 5)))
            {
                asked.Add(question.Kind);
                Assert.True(AnswerOf(scene, question) == question.Answer, $"Scene {scene.Seed}: {question}, but it should be '{AnswerOf(scene, question)}'.");
            }
        }

        Assert.Equal(Enum.GetValues<SceneQuestionKind>().Order(), asked.Order());
    }

    [Fact]
    public void Mentions_end_where_the_words_end_and_hold_the_objects_that_fit()
    {
        foreach (var scene in Enumerable.Range(0, 200).Select(seed => Scene.FromSeed(seed, 4)))
        {
            foreach (var question in new SceneQuestions(scene).Fill(60, _ => 5))
            {
                foreach (var mention in question.Mentions)
                {
                    Assert.False(char.IsLetter(question.Question[mention.End]), $"{question.Question} is cut at {mention.End}.");
                    var last = question.Question[..mention.End].Split(' ')[^1];
                    Assert.All(mention.Objects, o => Assert.Contains(last, Words(o)));
                }
            }
        }
    }

    [Fact]
    public void Questions_of_one_image_differ_and_keep_to_the_budget()
    {
        foreach (var scene in Enumerable.Range(0, 100).Select(seed => Scene.FromSeed(seed, 4)))
        {
            var questions = new SceneQuestions(scene).Fill(100, q => q.Answer.Length);

            Assert.Equal(questions.Count, questions.Select(q => q.Question).Distinct().Count());
            Assert.InRange(questions.Sum(q => q.Answer.Length), 1, 100);
        }
    }

    [Fact]
    public void Yes_and_no_are_about_as_frequent()
    {
        var answers = Enumerable.Range(0, 2000).Select(seed => new SceneQuestions(Scene.FromSeed(seed, 4)))
            .SelectMany(q => new[] { q.Ask(SceneQuestionKind.Existence), q.Ask(SceneQuestionKind.Relation) }).OfType<SceneQuestion>().ToArray();

        foreach (var kind in answers.GroupBy(a => a.Kind))
        {
            Assert.InRange(kind.Count(a => a.Answer == "yes") / (double)kind.Count(), 0.4, 0.6);
        }
    }

    [Fact]
    public void Captions_read_as_people_write_them()
    {
        var scene = new Scene(
            0,
            [
                new(SceneColor.Orange, SceneShape.Cross, 0, 0.2f, 0.2f, 0.1f, 0),
                new(SceneColor.Blue, SceneShape.Star, 4, 0.5f, 0.5f, 0.1f, 0),
                new(SceneColor.Orange, SceneShape.Cross, 5, 0.8f, 0.5f, 0.1f, 0),
            ],
            SceneBackground.Gray);

        Assert.Equal("Two orange crosses and a blue star on a gray background.", SceneCaptions.Short(scene));
        Assert.Equal(
            "There are three objects on a gray background: an orange cross at the top left, a blue star in the center and an orange cross on the right.",
            SceneCaptions.Detailed(scene));
    }

    private static string? AnswerOf(Scene scene, SceneQuestion question) => question.Kind switch
    {
        SceneQuestionKind.Caption => SceneCaptions.Short(scene),
        SceneQuestionKind.DetailedCaption => SceneCaptions.Detailed(scene),
        SceneQuestionKind.Background => Lower(scene.Background),
        SceneQuestionKind.Count => $"{Matching(scene, Singular(CountOf().Match(question.Question).Groups[1].Value)).Length}",
        SceneQuestionKind.Existence => Matching(scene, ExistenceOf().Match(question.Question).Groups[1].Value).Length > 0 ? "yes" : "no",
        SceneQuestionKind.Color => Lower(Only(scene, NounIn(question)).Color),
        SceneQuestionKind.Shape => Lower(Only(scene, NounIn(question)).Shape),
        SceneQuestionKind.Position => PlaceOf(Only(scene, NounIn(question))),
        SceneQuestionKind.Content => Described(scene.Objects.Where(o => PlaceOf(o) == ContentOf().Match(question.Question).Groups[1].Value)),
        SceneQuestionKind.Neighbor => Neighbor(scene, SideOf().Match(question.Question)),
        _ => Relation(scene, RelationOf().Match(question.Question)),
    };

    private static string NounIn(SceneQuestion question) => NounOf().Match(question.Question).Groups[1].Value;

    private static string? Neighbor(Scene scene, Match match)
    {
        var named = Only(scene, match.Groups[2].Value);
        return Described(scene.Objects.Where(o => o != named && Distance(o, match.Groups[1].Value, named) > 0.07f));
    }

    private static string Relation(Scene scene, Match match)
    {
        var distance = Distance(Only(scene, match.Groups[1].Value), match.Groups[2].Value, Only(scene, match.Groups[3].Value));
        return distance > 0.07f ? "yes" : "no";
    }

    /// <summary>How far the one is towards that side of the other, as a share of the image.</summary>
    private static float Distance(SceneObject one, string side, SceneObject other) => side switch
    {
        "to the left of" => other.X - one.X,
        "to the right of" => one.X - other.X,
        "above" => other.Y - one.Y,
        "below" => one.Y - other.Y,
        _ => throw new ArgumentException($"'{side}' is not a side."),
    };

    private static string? Described(IEnumerable<SceneObject> objects) => objects.ToArray() switch
    {
        [] => "nothing",
        [var only] => $"{(only.Color == SceneColor.Orange ? "an" : "a")} {Lower(only.Color)} {Lower(only.Shape)}",
        _ => null,
    };

    private static SceneObject Only(Scene scene, string noun) => Assert.Single(Matching(scene, noun));

    private static SceneObject[] Matching(Scene scene, string noun)
    {
        var place = noun.StartsWith("object ", StringComparison.Ordinal) ? noun["object ".Length..] : null;
        var words = (place is null ? noun : "object").Split(' ');
        return [.. scene.Objects.Where(o => (place is null || PlaceOf(o) == place)
            && words.All(word => word is "object" or "shape" || word == Lower(o.Color) || word == Lower(o.Shape)))];
    }

    private static string[] Words(SceneObject item) =>
        [Lower(item.Shape), Lower(item.Shape) + "s", Lower(item.Shape) + "es", "object", "objects", "shapes", .. PlaceOf(item).Split(' ')];

    private static string PlaceOf(SceneObject item)
    {
        var region = Regions[((int)(item.Y * 3) * 3) + (int)(item.X * 3)];
        return region switch { "center" => "in the center", "left" or "right" => "on the " + region, _ => "at the " + region };
    }

    private static string Singular(string noun) => noun.EndsWith("crosses", StringComparison.Ordinal) ? noun[..^2] : noun[..^1];

    private static string Lower<T>(T value) => $"{value}".ToLowerInvariant();

    [GeneratedRegex(@"(?:How many|Count the) (.+?)(?: are there\?| are in the image\?|\.)$")]
    private static partial Regex CountOf();

    [GeneratedRegex(@"^(?:Is there|Does the image show|Can you see|Do you see) an? (.+?)(?: in the image)?\?$")]
    private static partial Regex ExistenceOf();

    [GeneratedRegex(@"(?:What (?:color|shape) is|What is the (?:color|shape) of|Which (?:color|shape) is|Tell me the (?:color|shape) of|Where(?: in the image)? is) the (.+)[?.]$")]
    private static partial Regex NounOf();

    [GeneratedRegex(@"^(?:What is|What do you see|Which object is) (.+)\?$")]
    private static partial Regex ContentOf();

    [GeneratedRegex(@"^(?:What|Which object) is (to the left of|to the right of|above|below) the (.+)\?$")]
    private static partial Regex SideOf();

    [GeneratedRegex(@"^Is the (.+) (to the left of|to the right of|above|below) the (.+)\?$")]
    private static partial Regex RelationOf();
}
