using System.Net;
using System.Text.RegularExpressions;
using Hangfire;
using Hangfire.Storage;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Recurring;

/// <summary>Hangfire's dashboard behind our login.</summary>
public sealed partial class HangfireTests(Server server) : IClassFixture<Server>
{
    [Theory]
    [InlineData(AccessRole.Viewer, false)]
    [InlineData(AccessRole.Operator, false)]
    [InlineData(AccessRole.Admin, true)]
    public async Task Only_admins_change_something(AccessRole role, bool may)
    {
        var task = $"task-{role}";
        server.Get<IRecurringJobManager>().AddOrUpdate(task, () => Idle.Run(), Cron.Never);
        using var browser = await server.SignedInAsync(role);
        var page = await browser.GetStringAsync(new Uri("/hangfire/recurring", UriKind.Relative));
        using FormUrlEncodedContent jobs = new([new("jobs[]", task)]);
        using HttpRequestMessage message = new(HttpMethod.Post, "/hangfire/recurring/remove") { Content = jobs };
        message.Headers.Add(Meta("csrf-header", page), Meta("csrf-token", page));

        using var response = await browser.SendAsync(message);

        Assert.Equal(may, response.IsSuccessStatusCode);
        using var storage = server.Get<JobStorage>().GetConnection();
        Assert.Equal(!may, storage.GetRecurringJobs().Any(job => job.Id == task));
    }

    [Fact]
    public async Task It_has_the_ledgers_jobs_and_figures()
    {
        await server.FinishedJobAsync(items: 3);
        using var admin = await server.SignedInAsync(AccessRole.Admin);

        var jobs = await admin.GetStringAsync(new Uri("/hangfire/llava", UriKind.Relative));
        var overview = await admin.GetStringAsync(new Uri("/hangfire/", UriKind.Relative));

        Assert.Contains("3 of 3", jobs, StringComparison.Ordinal);
        Assert.Contains("Llava jobs running", overview, StringComparison.Ordinal);
        Assert.Contains("Llava items left", overview, StringComparison.Ordinal);
    }

    private static string Meta(string name, string page) => WebUtility.HtmlDecode(Content().Matches(page).Single(meta => meta.Groups["name"].Value == name).Groups["content"].Value);

    [GeneratedRegex("<meta name=\"(?<name>[a-z-]+)\" content=\"(?<content>[^\"]*)\"")]
    private static partial Regex Content();

    /// <summary>A recurring task.</summary>
    public static class Idle
    {
        public static void Run()
        {
        }
    }
}
