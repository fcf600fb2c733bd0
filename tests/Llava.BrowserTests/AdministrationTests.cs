using Llava.Ledger.Audit;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Llava.Ledger.Webhooks;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Keys, schedules, consumers, models, files and the audit log as people use them.</summary>
public sealed class AdministrationTests(AdministrationSite site) : IClassFixture<AdministrationSite>
{
    private static readonly string[] Pages = ["/keys", "/schedules", "/schedules/edit", "/consumers", "/models", "/files", "/webhooks", "/audit", "/login"];

    [Fact]
    public async Task A_key_signs_in_by_the_keyboard_and_out_again()
    {
        await using var page = await site.StrangerAsync();
        await page.GoAsync("/schedules");
        await page.TypeKeyAsync("llava_wrong");
        await Expect(page["[role=alert]"]).ToContainTextAsync("not known");

        await page.TypeKeyAsync(await site.SecretAsync(AccessRole.Viewer));
        await Expect(page["h1"]).ToHaveTextAsync("Schedules");
        await page["nav button:has-text('Sign out')"].ClickAsync();

        await Expect(page["h1"]).ToHaveTextAsync("Sign in");
        await page.GoAsync("/schedules");
        await Expect(page["h1"]).ToHaveTextAsync("Sign in");
        page.IsInnocent();
    }

    [Fact]
    public async Task A_key_is_made_its_secret_shown_once_and_it_is_revoked()
    {
        await using var page = await site.OpenAsync(AccessRole.Admin, "/keys");
        await page["[name='Form.Name']"].FillAsync("key " + AdministrationSite.Hostile);
        await page["[name='Form.Role']"].SelectOptionAsync("operator");
        await page.PressAsync("Make key");

        var secret = await page["#secret code"].InnerTextAsync();
        Assert.Equal(KeyStanding.Valid, (await site.Get<ApiKeys>().VerifyAsync(secret)).Standing);
        await page.GoAsync("/keys");
        Assert.DoesNotContain(secret, await page.Page.ContentAsync(), StringComparison.Ordinal);
        var row = page["tbody tr"].Filter(new() { HasText = "key " + AdministrationSite.Hostile });
        await page.PressAsync("Revoke", row);

        await Expect(row.Locator(".state")).ToHaveTextAsync("revoked");
        Assert.Equal(KeyStanding.Revoked, (await site.Get<ApiKeys>().VerifyAsync(secret)).Standing);
        page.IsInnocent();
    }

    [Fact]
    public async Task A_schedule_says_when_it_runs_while_one_types_and_is_made_paused_resumed_run_edited_and_removed()
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, "/schedules/edit");
        await page["#cron"].FillAsync("30 6 * * MON");
        await Expect(page["#preview"]).ToContainTextAsync("every Monday at 06:30 (UTC)");
        await Expect(page["#preview li"]).ToHaveCountAsync(5);
        await page["#zone"].FillAsync("Mars/Olympus");
        await Expect(page["#preview"]).ToContainTextAsync("no IANA time zone");
        await page["[name='Form.Name']"].FillAsync("weekly");
        await page["[name='Form.Path']"].FillAsync("/data/" + AdministrationSite.Hostile);
        await page["[name='Form.Model']"].FillAsync("scenes");
        await page["[name='Form.Prompt']"].FillAsync("Describe.");
        await page.PressAsync("Make schedule");
        await Expect(page[".problem"].First).ToContainTextAsync("no IANA time zone");

        await page["#zone"].FillAsync("Europe/Berlin");
        await page.PressAsync("Make schedule");
        await Expect(page["h1"]).ToHaveTextAsync("weekly");
        await Expect(page[".facts"].First).ToContainTextAsync(AdministrationSite.Hostile);
        await page.PressAsync("Pause");
        await Expect(page["tbody .state"]).ToHaveTextAsync("paused");
        await page.PressAsync("Resume");
        await Expect(page["tbody .state"]).ToHaveTextAsync("active");
        await page.PressAsync("Run now");
        await Expect(page["[role=status]:visible"].First).ToContainTextAsync("made job_");
        await page["tbody a"].First.ClickAsync();
        await page["a:has-text('Edit')"].ClickAsync();
        await page["[name='Form.OnlyNew']"].First.UncheckAsync();
        await page["#cron"].FillAsync("0 7 * * *");
        await page.PressAsync("Save");
        await Expect(page[".head"]).ToContainTextAsync("every day at 07:00 (Europe/Berlin)");
        Assert.False((await site.Get<ScheduleStore>().ReadAsync("default", "weekly")).Definition.OnlyNew);
        await page.PressAsync("Remove");

        await Expect(page[".empty"]).ToContainTextAsync("No schedules yet");
        page.IsInnocent();
    }

    [Fact]
    public async Task A_schedule_that_trains_promotes_what_it_makes()
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, "/schedules/edit?kind=finetune");
        await page["[name='Form.Name']"].FillAsync("nightly");
        await page["[name='Form.Model']"].FillAsync("scenes");
        await page["[name='Form.Promote']"].FillAsync("best of all");
        await page.PressAsync("Make schedule");
        await Expect(page[".problem"].First).ToContainTextAsync("is 'best of all'");
        await Expect(page[".problem"].Last).ToContainTextAsync("name a folder or file");

        await page["[name='Form.Promote']"].FillAsync("best");
        await page["[name='Form.Path']"].FillAsync("/data/questions.jsonl");
        await page["[name='Form.LoseAtMost']"].FillAsync("0.5");
        await page.PressAsync("Make schedule");
        await Expect(page["h1"]).ToHaveTextAsync("nightly");
        var promotion = (await site.Get<ScheduleStore>().ReadAsync("default", "nightly")).Definition.Training!.Promotion!;
        Assert.Equal(("best", 0.005, "/data/questions.jsonl", "answer"), (promotion.Name, promotion.LoseAtMost, promotion.Evaluate.Source.Path, promotion.Evaluate.Expected));

        await page["a:has-text('Edit')"].ClickAsync();
        await Expect(page["[name='Form.LoseAtMost']"]).ToHaveValueAsync("0.5");
        await page["[name='Form.Promote']"].FillAsync("");
        await page.PressAsync("Save");
        await Expect(page["h1"]).ToHaveTextAsync("nightly");
        Assert.Null((await site.Get<ScheduleStore>().ReadAsync("default", "nightly")).Definition.Training!.Promotion);
        await page.PressAsync("Remove");
        await Expect(page[".empty"]).ToContainTextAsync("No schedules yet");
        page.IsInnocent();
    }

    [Fact]
    public async Task Consumers_are_shown_with_their_models_and_change_while_one_looks()
    {
        await site.BeatAsync("host-" + AdministrationSite.Hostile, slots: 4);
        await using var page = await site.OpenAsync(AccessRole.Viewer, "/consumers");
        await Expect(page[".consumer h2"]).ToHaveTextAsync("host-" + AdministrationSite.Hostile);
        await Expect(page[".consumer .state.bad"]).ToHaveTextAsync("failed");

        await site.BeatAsync("host-" + AdministrationSite.Hostile, slots: 7);

        await Expect(page["tbody td.number"].First).ToHaveTextAsync("7");
        page.IsInnocent();
    }

    [Fact]
    public async Task Models_are_those_that_are_served_and_those_of_the_folder()
    {
        await site.BeatAsync("host-" + AdministrationSite.Hostile, slots: 4);
        await using var page = await site.OpenAsync(AccessRole.Viewer, "/models");

        await Expect(page[".model:has(h2:text-is('llava-scenes'))"]).ToContainTextAsync("4 layers, hidden 256");
        await Expect(page[".model:has(h2:text-is('scenes')) .state"]).ToHaveTextAsync("loaded");
        await Expect(page[".model:has(h2:text-is('broken'))"]).ToContainTextAsync(AdministrationSite.Hostile);
        page.IsInnocent();
    }

    [Fact]
    public async Task A_file_is_sent_downloaded_and_deleted()
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, "/files");
        await page["input[type=file]"].SetInputFilesAsync(new FilePayload { Name = "<b>a.jsonl", MimeType = "text/html", Buffer = "<script>alert(1)</script>"u8.ToArray() });
        await page["[name=purpose]"].SelectOptionAsync("batch");
        await page.PressAsync("Send");
        await Expect(page["#file h2"]).ToHaveTextAsync("<b>a.jsonl");
        await Expect(page["#file"]).ToContainTextAsync("no job that is kept");

        var download = await page.Page.RunAndWaitForDownloadAsync(() => page["a:has-text('Download')"].ClickAsync());
        Assert.Equal("<script>alert(1)</script>", await File.ReadAllTextAsync((await download.PathAsync())!));
        await page.PressAsync("Delete");

        await Expect(page[".empty"]).ToContainTextAsync("No files");
        page.IsInnocent();
    }

    [Fact]
    public async Task An_address_is_added_told_and_removed_and_a_delivery_is_sent_again()
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, "/webhooks");
        await page["[name=url]"].FillAsync("https://example.org/?" + AdministrationSite.Hostile);
        await page["summary:has-text('Only certain events')"].ClickAsync();
        await page["[value='batch.completed']"].CheckAsync();
        await page.PressAsync("Add address");
        await Expect(page["#secret code"]).ToContainTextAsync("whsec_");
        var webhook = Assert.Single(await site.Get<WebhookStore>().ListAsync("default"));
        await page["tbody a"].First.ClickAsync();
        await Expect(page[".facts"].First).ToContainTextAsync("batch.completed");
        await page.PressAsync("Send a test");
        await Expect(page["tbody .state"]).ToHaveTextAsync("pending");
        var sent = Assert.Single(await site.Get<WebhookStore>().DeliveriesAsync(webhook, null, null, 10));
        await site.Get<WebhookQueue>().NoteAsync(sent, new(500, "says " + AdministrationSite.Hostile), TimeSpan.FromDays(4));
        await page.GoAsync($"/webhooks/{webhook.Id}?state=dead");
        await Expect(page["tbody"]).ToContainTextAsync("says " + AdministrationSite.Hostile);
        await page.PressAsync("Send again");
        await Expect(page["[role=status]:visible"].First).ToContainTextAsync("on its way again");
        await Expect(page["tbody .state"]).ToHaveTextAsync("pending");
        await page.PressAsync("Remove");

        await Expect(page[".empty"]).ToContainTextAsync("Nobody is told of anything");
        page.IsInnocent();
    }

    [Fact]
    public async Task The_log_is_searched_and_checked()
    {
        await using var page = await site.OpenAsync(AccessRole.Admin, "/audit");
        await page["[name=what]"].FillAsync("job.");
        await page.PressAsync("Search");
        await Expect(page["tbody"]).ToContainTextAsync("job.submitted");
        await Expect(page["tbody"]).ToContainTextAsync(site.Job.ToString());
        await page["a:has-text('Check the chain')"].ClickAsync();

        await Expect(page["#verdict"]).ToContainTextAsync("lines hold");
        Assert.NotEmpty(await site.Get<AuditLog>().ListAsync(new() { Action = AuditActions.SignedIn }));
        page.IsInnocent();
    }

    [Fact]
    public async Task A_viewer_finds_nothing_to_press_and_no_page_for_admins()
    {
        await using var page = await site.OpenAsync(AccessRole.Viewer);
        foreach (var path in (string[])["/schedules", "/files", "/webhooks", "/consumers", "/models"])
        {
            await page.GoAsync(path);
            await Expect(page["main form[method=post]"]).ToHaveCountAsync(0);
        }

        foreach (var path in (string[])["/keys", "/audit", "/schedules/edit"])
        {
            Assert.Equal(403, (await page.GoAsync(path))!.Status);
            await Expect(page["main"]).ToContainTextAsync("Not with your role");
        }

        await page.GoAsync("/hangfire/recurring");
        await Expect(page["button:has-text('Trigger now')"]).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Hangfire_shows_the_jobs_as_text()
    {
        await using var page = await site.OpenAsync(AccessRole.Viewer, "/hangfire/llava");

        await Expect(page["td a"].First).ToHaveTextAsync(AdministrationSite.Hostile);
        page.IsInnocent();
    }

    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task No_page_needs_sideways_scrolling(int width)
    {
        await using var page = await site.OpenAsync(AccessRole.Admin, width: width);
        foreach (var path in Pages)
        {
            await page.GoAsync(path);
            Assert.True(await page.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"'{path}' is wider than {width} pixels.");
        }

        page.IsInnocent();
    }

    [Fact]
    public async Task Another_sites_form_changes_nothing()
    {
        await using var page = await site.OpenAsync(AccessRole.Admin);
        var forged = $"""<form method="post" action="{site.Address}keys?handler=Create"><input name="Form.Name" value="forged"><input name="Form.Tenant" value="default"><input name="Form.Role" value="admin"></form>""";
        await page.Page.RouteAsync("http://evil.example/", route => route.FulfillAsync(new() { ContentType = "text/html", Body = forged }));
        await page.Page.GotoAsync("http://evil.example/");

        var answer = await page.Page.RunAndWaitForResponseAsync(() => page.Page.EvaluateAsync("() => document.forms[0].submit()"), response => response.Url.Contains("/keys", StringComparison.Ordinal));

        Assert.Contains(answer.Status, (int[])[302, 400]);
        Assert.DoesNotContain(await site.Get<ApiKeys>().ListAsync(), key => key.Name == "forged");
    }

    [Fact]
    public async Task Another_site_cannot_frame_a_page()
    {
        await using var page = await site.OpenAsync(AccessRole.Admin);
        await page.Page.RouteAsync("http://evil.example/", route => route.FulfillAsync(new() { ContentType = "text/html", Body = $"<iframe src='{site.Address}keys'></iframe>" }));
        await page.Page.GotoAsync("http://evil.example/");

        Assert.DoesNotContain(page.Page.Frames, frame => frame.Url.StartsWith(site.Address.ToString(), StringComparison.Ordinal));
    }
}
