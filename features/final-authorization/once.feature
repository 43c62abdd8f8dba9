Feature: The final authorization is made once
  Whatever races or repeats there are, one payment is finalised by one call.

  @AP-25
  Scenario: It is made once, though webhook and customer come together
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    And the customer comes back to the Partner
    Then the acquirer makes exactly one final authorize

  @AP-25
  Scenario: It is made once, though the webhook arrives while the customer comes back
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna holds the completed webhook back
    And the customer approves the purchase
    And the customer comes back to the Partner as the webhook arrives
    Then the acquirer makes exactly one final authorize
    And the acquirer tells the Partner that the payment is approved

  @AP-25 @AP-49
  Scenario: It is made once, though the webhook arrives twice at the same moment
    # Who looks first and writes afterwards, looks twice before anything is written.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna is about to send the completed webhook twice at once
    And the customer approves the purchase
    Then the acquirer makes exactly one final authorize
    And the acquirer tells the Partner that the payment is approved

  @AP-25 @AP-49
  Scenario: It is made once, though Klarna sends the webhook twice
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    When Klarna sends the completed webhook again
    Then the acquirer makes exactly one final authorize
