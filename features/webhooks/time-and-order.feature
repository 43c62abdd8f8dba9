Feature: Webhooks that come late, out of order, ahead of time, or not at all
  Klarna tries again for hours, and promises no order. A payment comes to its end all the same, and once.

  @AP-20 @AP-49
  Scenario: The completed webhook comes late
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna is about to send the completed webhook 10 minutes late
    And the customer approves the purchase
    And Klarna's clock goes 10 minutes forward
    Then the acquirer makes exactly one final authorize
    And the acquirer tells the Partner that the payment is approved

  @AP-25 @AP-49
  Scenario: The completed webhook comes again long after the payment was made
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna is about to send the completed webhook again after 2 hours
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    When Klarna's clock goes 2 hours forward
    Then the acquirer makes exactly one final authorize

  @AP-25 @AP-49
  Scenario: The in-progress webhook comes behind the completed one
    # Whoever takes the last event for the newest falls back.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And Klarna is about to send the in-progress webhook behind the next one
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-25 @AP-49
  Scenario: The in-progress webhook is lost
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And Klarna is about to send the in-progress webhook in vain
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-15 @AP-49
  Scenario: The submitted webhook comes before Klarna's answer to the call that caused it
    # The acquirer hears of a payment request that it cannot know yet.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When Klarna is about to send the submitted webhook ahead of its answer
    And the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved

  @AP-49
  Scenario: A webhook is of a type that nobody knows
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And Klarna is about to send the in-progress webhook under a type that nobody knows
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-25 @AP-49
  Scenario: The completed webhook comes twice, the second at once after the first
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna is about to send the completed webhook twice
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-20 @AP-44
  Scenario Outline: The session token stands in one of its two places: <where>
    # Klarna's pages show both; which one stays is not published.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna is about to send the completed webhook <where>
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the final authorize carries the session token of the webhook in its header

    Examples:
      | where                                    |
      | with the token in the payload only       |
      | with the token in its state context only |
